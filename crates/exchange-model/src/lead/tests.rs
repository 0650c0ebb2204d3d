//! Intake, anonymising, sealing.

use super::*;
use crate::id::{AttemptId, CampaignId};
use crate::ping_value::{Anonymiser, PingView};
use crate::reason::Invalid;
use crate::vertical::Stage;
use crate::{Document, Findings, SourceFile};

const TODAY: Date = Date::constant(2026, 11, 23);

fn vertical() -> Arc<Vertical> {
    let body = r#"
id = "auto"
[field]
zip = { type = "us_zip", class = "open", ping = "required", post = "required", example = "78701" }
make = { type = "text", class = "open", ping = "optional", post = "optional" }
dob = { type = "date", class = "contact", ping = "required", post = "required", example = "1990-04-02" }
phone = { type = "us_phone", class = "contact", ping = "no", post = "required", example = "5125550134" }
[derived]
age = { from = "years_since(dob)", class = "open" }
"#;
    let mut findings = Findings::new();
    let file = Arc::new(SourceFile { path: "v.toml".into(), text: body.into() });
    let document = Document::parse(file, &mut findings).unwrap();
    let vertical = Vertical::read(&document, &mut findings).unwrap();
    assert!(findings.is_empty());
    vertical
}

fn take(
    stage: Stage,
    pairs: &[(&str, &str)],
    pinged: Option<&Lead>,
) -> Result<Intaken, Vec<FieldError>> {
    let fields: Vec<_> = pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    let from = IntakeFields {
        stage,
        fields: &fields,
        sealed: Vec::new(),
        pinged,
        ping_counts: false,
        today: TODAY,
    };
    intake(LeadId::from_bytes([7; 16]), &vertical(), from)
}

const WHOLE: &[(&str, &str)] =
    &[("zip", "78701"), ("dob", "1990-04-02"), ("phone", "(512) 555-0134"), ("ssn", "078-05-1120")];

#[test]
fn every_wrong_field_is_named_at_once_and_no_value_is_echoed() {
    let errors = take(Stage::Post, &[("zip", "99"), ("dob", "never")], None).unwrap_err();
    let codes: Vec<_> = errors.iter().map(|e| (e.field.as_str(), e.code)).collect();
    assert_eq!(
        codes,
        [("zip", Invalid::BadValue), ("dob", Invalid::BadValue), ("phone", Invalid::MissingField)]
    );
    assert!(!format!("{errors:?}").contains("never"));
}

#[test]
fn unknown_fields_are_sealed_and_named() {
    let taken = take(Stage::Post, WHOLE, None).unwrap();
    assert_eq!(taken.unknown, ["ssn"]);
    assert_eq!(taken.lead.contact().extra_names().collect::<Vec<_>>(), ["ssn"]);
    assert!(!format!("{:?}", taken.lead).contains("078"));
}

#[test]
fn a_ping_sees_open_fields_and_anonymised_contact_only() {
    let lead = take(Stage::Post, WHOLE, None).unwrap().lead;
    let vertical = vertical();
    let view = PingView::new(&lead, TODAY);
    let at = |name| vertical.index(name).unwrap();
    let show = |value: Option<crate::PingValue<'_>>| value.map(|v| v.to_string());
    assert_eq!(show(view.value(at("zip"))).as_deref(), Some("78701"));
    assert_eq!(show(view.value(at("age"))).as_deref(), Some("36"));
    assert_eq!(show(view.value(at("phone"))), None);
    assert_eq!(show(view.anonymised(at("dob"), Anonymiser::Year)).as_deref(), Some("1990"));
    assert_eq!(show(view.anonymised(at("phone"), Anonymiser::Last4)).as_deref(), Some("0134"));
}

#[test]
fn a_post_must_match_what_was_pinged_and_may_leave_it_out() {
    let pinged = take(Stage::Ping, &[("zip", "78701"), ("dob", "1990-04-02")], None).unwrap().lead;
    let rest = [("phone", "5125550134")];
    assert!(take(Stage::Post, &rest, Some(&pinged)).is_ok());
    let other = [("phone", "5125550134"), ("zip", "78702"), ("make", "Honda")];
    let errors = take(Stage::Post, &other, Some(&pinged)).unwrap_err();
    let fields: Vec<_> = errors.iter().map(|e| (e.field.as_str(), e.code)).collect();
    assert_eq!(fields, [("zip", Invalid::PingMismatch), ("make", Invalid::PingMismatch)]);
}

#[test]
fn sealed_contact_opens_only_with_its_key_and_for_its_lead() {
    let taken = take(Stage::Post, WHOLE, None).unwrap();
    let (lead, vertical) = (taken.lead, vertical());
    let sealed = lead.contact().seal(lead.id(), &vertical, &[1; 32], [2; 24]).unwrap();
    let open = |id, key: &[u8; 32]| Contact::unseal(id, &vertical, key, &sealed);
    assert_eq!(open(lead.id(), &[1; 32]).as_ref(), Ok(lead.contact()));
    assert_eq!(open(lead.id(), &[9; 32]), Err(VaultError::Sealed));
    assert_eq!(open(LeadId::from_bytes([8; 16]), &[1; 32]), Err(VaultError::Sealed));
    assert!(!sealed.windows(10).any(|w| w == b"5125550134"));
}

#[test]
fn a_permit_for_another_lead_opens_nothing() {
    let lead = take(Stage::Post, WHOLE, None).unwrap().lead;
    let phone = vertical().index("phone").unwrap();
    let campaign: CampaignId = "acme/auto".parse().unwrap();
    let foreign = AttemptId::new(LeadId::from_bytes([9; 16]), 1);
    assert_eq!(lead.expose(phone, &PostPermit::issue(foreign, campaign.clone())), None);
    let own = PostPermit::issue(AttemptId::new(lead.id(), 1), campaign);
    assert_eq!(lead.expose(phone, &own).as_deref(), Some("5125550134"));
}
