//! A vertical, leads and compiled buyers.

use std::path::Path;
use std::sync::Arc;

use buyer_connectors::{CampaignUse, Connector, Secrets, compile};
use exchange_model::lead::{IntakeFields, intake};
use exchange_model::{
    CampaignId, Date, Document, Findings, Lead, LeadId, SourceFile, Stage, Vertical,
};

use crate::Ran;

const CAMPAIGN: &str = "acme/auto";

/// The dictionary and the lead of every case.
pub(crate) struct Ground {
    vertical: Arc<Vertical>,
    pub(crate) lead: Lead,
}

pub(crate) fn today() -> Ran<Date> {
    Ok("2026-07-25".parse()?)
}

impl Ground {
    pub(crate) fn new() -> Ran<Self> {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/verticals/auto_insurance.toml");
        let mut findings = Findings::new();
        let document = document(std::fs::read_to_string(path)?, &mut findings)?;
        let vertical = Vertical::read(&document, &mut findings).ok_or("the vertical is wrong")?;
        let lead = lead(&vertical)?;
        Ok(Self { vertical, lead })
    }

    /// The same lead once more: what is made once per lead is made again for it.
    pub(crate) fn again(&self) -> Ran<Lead> {
        lead(&self.vertical)
    }

    /// The connector of a buyer's file.
    pub(crate) fn connector(&self, buyer: &str) -> Ran<Arc<Connector>> {
        let mut findings = Findings::new();
        let document = document(buyer.to_owned(), &mut findings)?;
        let campaign: CampaignId = CAMPAIGN.parse()?;
        let place = document.reader().own_place();
        let vertical = Arc::clone(&self.vertical);
        let of =
            CampaignUse { campaign, vertical, connector: "main".to_owned(), place, bids: true };
        let secrets = Secrets::default();
        let connectors = compile(&document, &[of], &|_| None, &secrets, &mut findings);
        if let Some(error) = findings.sorted().first().filter(|_| findings.has_errors()) {
            return Err(format!("{}: {}; {}", error.code, error.message, error.help).into());
        }
        let (_, connector) = connectors.iter().next().ok_or("no connector")?;
        Ok(Arc::clone(connector))
    }
}

fn document(text: String, findings: &mut Findings) -> Ran<Document> {
    let file = Arc::new(SourceFile { path: "bench.toml".to_owned(), text });
    Ok(Document::parse(file, findings).ok_or("no TOML")?)
}

fn lead(vertical: &Arc<Vertical>) -> Ran<Lead> {
    const FIELDS: &[(&str, &str)] = &[
        ("zip", "78701"),
        ("state", "TX"),
        ("birth_date", "1990-04-02"),
        ("currently_insured", "true"),
        ("carrier", "Progressive"),
        ("credit", "good"),
        ("homeowner", "false"),
        ("vehicle_year", "2019"),
        ("vehicle_make", "Honda"),
        ("violations", "0"),
        ("first_name", "Marguerite"),
        ("last_name", "Bellweather"),
        ("phone", "5125550134"),
        ("email", "m.bellweather@example.com"),
        (
            "trustedform_url",
            "https://cert.trustedform.com/0123456789abcdef0123456789abcdef01234567",
        ),
        (
            "tcpa_text",
            "I agree to be contacted by phone at the number that I gave, also by machine",
        ),
    ];
    let fields: Vec<_> = FIELDS.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let from = IntakeFields {
        stage: Stage::Post,
        fields: &fields,
        sealed: Vec::new(),
        pinged: None,
        ping_counts: false,
        today: today()?,
    };
    let taken = intake(LeadId::from_bytes([7; 16]), vertical, from);
    Ok(taken.map_err(|wrong| format!("{wrong:?}"))?.lead)
}
