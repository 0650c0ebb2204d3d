//! A whole exchange with its mock buyers, in one process, on throw-away ground.
//!
//! For the demo and for `load --faulty`: a temporary directory with database, root key and
//! secrets, free ports, and a table that leads the sample's host names to the mock buyers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use exchange_lab::mock_buyers::write_sample_secrets;
use exchange_lab::{BuyerSpec, MockBuyers};
use exchange_model::{BillingTerms, BuyerId, Currency, MinorUnits, Money, SourceId};
use exchange_store::{KeyMode, StoreReader};
use settlement_ledger::verify::VerifyReport;
use settlement_ledger::{Account, EventKind, Layer};
use tempfile::TempDir;

use crate::app::{App, AppError, Options, RunningApp};
use crate::cli::books::{Books, Desk};
use crate::cli::context::{Context, load_without_secrets};
use crate::cli::diagnostics::{self, Look};
use crate::cli::failure::{Exit, Failure};
use crate::clock::Clock;
use crate::load::Exchange;
use crate::settings::Settings;

/// What every prepaid buyer pays in before the first lead, in whole units of its currency.
const TOP_UP: &str = "5000.00";

/// One source and the key it posts with.
#[derive(Clone, Debug)]
pub(crate) struct Seller {
    /// Who posts.
    pub(crate) source: SourceId,
    /// The text of its key.
    pub(crate) key: String,
    /// How soon it is answered: the deadline of its tree.
    pub(crate) budget: Duration,
}

/// A running exchange among mock buyers.
#[derive(Debug)]
pub(crate) struct Lab {
    /// The buyers.
    pub(crate) buyers: MockBuyers,
    /// The sources that may post.
    pub(crate) sellers: Vec<Seller>,
    /// The config it runs on.
    pub(crate) exchange: Exchange,
    settings: Settings,
    app: RunningApp,
    dir: TempDir,
}

impl Lab {
    /// Starts buyers and exchange on the config of the command line.
    pub(crate) async fn start(
        context: &Context,
        specs: Vec<BuyerSpec>,
        clock: Clock,
    ) -> Result<Self, Failure> {
        let dir = tempfile::Builder::new().prefix("rialto-").tempdir()?;
        let buyers = MockBuyers::start(specs).await?;
        write_sample_secrets(&dir.path().join("secrets"))?;
        let settings = context.settings(&flags(dir.path()))?;
        let exchange = compiled(&settings, context)?;
        let sellers = tokio::task::block_in_place(|| prepare(&settings, &exchange))?;
        let hosts = buyers.hosts().into_iter().collect();
        let options = Options { hosts, clock: Some(clock), ..Options::default() };
        let app = start(settings.clone(), options, context).await?;
        Ok(Self { buyers, sellers, exchange, settings, app, dir })
    }

    /// Where leads are posted.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1/leads", self.app.seller_addr())
    }

    /// Where metrics and health are.
    pub(crate) fn operator(&self) -> SocketAddr {
        self.app.operator_addr()
    }

    /// The directory of the database.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The database, for reading beside the running exchange.
    pub(crate) fn books(&self) -> Result<Books, Failure> {
        Books::at(&self.settings)
    }

    /// Lets the auctions finish and stops the exchange; then everything is compared.
    pub(crate) async fn stop(self) -> Result<Closing, Failure> {
        self.app.shutdown();
        self.app.wait().await.map_err(Failure::failed)?;
        let books = Books::at(&self.settings)?;
        let closing = tokio::task::block_in_place(|| {
            Closing::of(books.store(), &self.buyers, &self.exchange)
        });
        self.buyers.shutdown().await;
        closing
    }
}

fn flags(dir: &Path) -> Vec<(String, String)> {
    let path = |name: &str| dir.join(name).display().to_string();
    let pairs = [
        ("server.seller_listen", "127.0.0.1:0".to_owned()),
        ("server.operator_listen", "127.0.0.1:0".to_owned()),
        ("store.path", path("rialto.db")),
        ("secrets.dir", path("secrets")),
        ("secrets.root_key", path("root.key")),
        ("buyers.allow_private", "true".to_owned()),
    ];
    pairs.map(|(key, value)| (key.to_owned(), value)).to_vec()
}

fn compiled(settings: &Settings, context: &Context) -> Result<Exchange, Failure> {
    let (exchange, findings) = load_without_secrets(settings);
    match exchange {
        Some(exchange) => Ok(exchange),
        None => {
            diagnostics::print(&findings, Look::Full, context.out)?;
            Err(Failure::silent(Exit::BadConfig))
        }
    }
}

/// Pays in for prepaid buyers and makes a key for each source, before the exchange runs.
fn prepare(settings: &Settings, exchange: &Exchange) -> Result<Vec<Seller>, Failure> {
    let desk = Desk::at(settings)?;
    for buyer in exchange.routing.buyers() {
        if let BillingTerms::Prepaid { credit_line } = buyer.terms {
            let amount = Money::parse(TOP_UP, credit_line.currency()).map_err(Failure::failed)?;
            desk.top_up(&buyer.id, amount, &format!("DEMO-{}", buyer.id))?;
        }
    }
    let mut sellers = Vec::new();
    for source in exchange.routing.sources() {
        let Some(tree) = exchange.routing.tree(source.first_tree()) else { continue };
        let key = desk.new_key(&source.id, KeyMode::Live)?.key;
        sellers.push(Seller { source: source.id.clone(), key, budget: tree.deadline });
    }
    if sellers.is_empty() {
        return Err(Failure::bad_config("no source of the config can post"));
    }
    Ok(sellers)
}

/// Starts the exchange; config errors are printed.
pub(crate) async fn start(
    settings: Settings,
    options: Options,
    context: &Context,
) -> Result<RunningApp, Failure> {
    match App::start(settings, options).await {
        Ok(app) => Ok(app),
        Err(AppError::Config(findings)) => {
            diagnostics::print(&findings, Look::Full, context.out)?;
            Err(Failure::silent(Exit::BadConfig))
        }
        Err(error) => Err(told_in_full(&error)),
    }
}

/// An error with its causes.
fn told_in_full(error: &dyn std::error::Error) -> Failure {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    Failure::failed(text)
}

/// One buyer, as it and we see it.
#[derive(Debug)]
pub(crate) struct Agreement {
    /// Which.
    pub(crate) buyer: BuyerId,
    /// Leads in its own book, and what it owes for them.
    pub(crate) theirs: (usize, Money),
    /// Sales in our ledger, and what they come to.
    pub(crate) ours: (usize, Money),
    /// Posts whose answer was lost, and what is held for them.
    pub(crate) open: (usize, Money),
}

impl Agreement {
    /// Whether both books are the same, up to posts whose answer was lost: of those the buyer may
    /// have bought any.
    pub(crate) fn holds(&self) -> bool {
        let most = self.ours.0.saturating_add(self.open.0);
        let more = self.theirs.1.checked_sub(self.ours.1).and_then(|more| more.to_minor());
        let held = self.open.1.to_minor();
        (self.ours.0..=most).contains(&self.theirs.0)
            && matches!((more, held), (Ok(more), Ok(held)) if MinorUnits::ZERO <= more && more <= held)
    }
}

/// The books at the end.
#[derive(Debug)]
pub(crate) struct Closing {
    /// The ledger against itself.
    pub(crate) verified: VerifyReport,
    /// The ledger against each buyer.
    pub(crate) agreements: Vec<Agreement>,
    /// What buyers owe.
    pub(crate) revenue: Money,
    /// What sellers are owed.
    pub(crate) payout: Money,
}

impl Closing {
    /// Whether everything agrees with everything.
    pub(crate) fn sound(&self) -> bool {
        self.verified.sound() && self.agreements.iter().all(Agreement::holds)
    }

    fn of(store: &StoreReader, buyers: &MockBuyers, exchange: &Exchange) -> Result<Self, Failure> {
        let currency = exchange.verticals.values().next().map_or(Currency::USD, |v| v.currency());
        let verified = store.verify().blocking_wait()?;
        let mut tally = Tally::default();
        for stored in store.all_transactions() {
            tally.take(&stored?.transaction)?;
        }
        for hold in store.open_holds().blocking_wait()? {
            if let Some(buyer) = hold.account.buyer() {
                add(tally.open.entry(buyer.clone()).or_default(), hold.amount)?;
            }
        }
        let show = |minor: MinorUnits| Money::from_minor(minor, currency);
        let of = |sums: &Sums, buyer: &BuyerId| {
            let (count, minor) = sums.get(buyer).copied().unwrap_or_default();
            (count, show(minor))
        };
        let mut agreements = Vec::new();
        for mock in buyers.iter() {
            let buyer: BuyerId = mock.name().parse().map_err(Failure::failed)?;
            let owed = mock.book().total().to_string();
            let owed = Money::parse(&owed, currency).map_err(Failure::failed)?;
            agreements.push(Agreement {
                theirs: (mock.book().purchases().len(), owed),
                ours: of(&tally.sold, &buyer),
                open: of(&tally.open, &buyer),
                buyer,
            });
        }
        let (revenue, payout) = (show(tally.revenue), show(tally.payout));
        Ok(Self { verified, agreements, revenue, payout })
    }
}

type Sums = BTreeMap<BuyerId, (usize, MinorUnits)>;

/// What the ledger's sales come to.
#[derive(Debug, Default)]
struct Tally {
    sold: Sums,
    open: Sums,
    revenue: MinorUnits,
    payout: MinorUnits,
}

impl Tally {
    fn take(&mut self, transaction: &settlement_ledger::Transaction) -> Result<(), Failure> {
        if transaction.kind() != EventKind::Sale {
            return Ok(());
        }
        for entry in transaction.entries().iter().filter(|entry| entry.layer == Layer::Settled) {
            if let Some(buyer) = entry.account.buyer() {
                add(self.sold.entry(buyer.clone()).or_default(), entry.minor)?;
            }
            match entry.account {
                Account::LeadSales(_) => self.revenue = sum(self.revenue, entry.minor)?,
                Account::SellerCost(_) => self.payout = sum(self.payout, entry.minor)?,
                Account::Bank(_)
                | Account::Unbilled(_)
                | Account::Prepaid(_)
                | Account::SellerAccrued(_)
                | Account::InFlight
                | Account::Opening => {}
            }
        }
        Ok(())
    }
}

fn add(to: &mut (usize, MinorUnits), minor: MinorUnits) -> Result<(), Failure> {
    *to = (to.0.saturating_add(1), sum(to.1, minor)?);
    Ok(())
}

fn sum(one: MinorUnits, other: MinorUnits) -> Result<MinorUnits, Failure> {
    one.checked_add(other).ok_or_else(|| Failure::failed("the sales do not fit a sum"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Money {
        Money::parse(text, Currency::USD).unwrap()
    }

    fn agreement(theirs: (usize, &str), ours: (usize, &str), open: (usize, &str)) -> Agreement {
        let of = |(count, amount): (usize, &str)| (count, usd(amount));
        Agreement {
            buyer: "acme_mutual".parse().unwrap(),
            theirs: of(theirs),
            ours: of(ours),
            open: of(open),
        }
    }

    #[test]
    fn books_agree_when_they_are_the_same_or_differ_by_lost_answers() {
        assert!(agreement((2, "50.00"), (2, "50.00"), (0, "0.00")).holds());
        assert!(agreement((3, "81.00"), (2, "50.00"), (1, "31.00")).holds());
        assert!(agreement((2, "50.00"), (2, "50.00"), (1, "31.00")).holds());
    }

    #[test]
    fn a_lead_or_a_cent_that_only_one_side_has_is_a_difference() {
        assert!(!agreement((1, "25.00"), (2, "50.00"), (0, "0.00")).holds());
        assert!(!agreement((3, "81.00"), (2, "50.00"), (0, "0.00")).holds());
        assert!(!agreement((2, "50.01"), (2, "50.00"), (0, "0.00")).holds());
        assert!(!agreement((2, "49.99"), (2, "50.00"), (1, "31.00")).holds());
    }
}
