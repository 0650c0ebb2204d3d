//! One consumer: who, where, what they drive.

use serde_json::Value;

use super::canary;
use super::places::{PhoneBook, Place, a_place};
use crate::random::{Random, hash};

const FIRST_NAMES: &[&str] = &[
    "Maria", "James", "Ashley", "Robert", "Jessica", "Michael", "Linda", "Carlos", "Emily",
    "David", "Sarah", "Jose", "Amanda", "Daniel", "Karen", "Anthony", "Nicole", "Brian",
    "Patricia", "Kevin", "Denise", "Marcus", "Tanya", "Luis", "Heather", "Terrence", "Wendy",
    "Hector", "Megan", "Troy",
];
const LAST_NAMES: &[&str] = &[
    "Smith",
    "Garcia",
    "Johnson",
    "Martinez",
    "Williams",
    "Rodriguez",
    "Brown",
    "Hernandez",
    "Jones",
    "Lopez",
    "Davis",
    "Gonzalez",
    "Miller",
    "Perez",
    "Wilson",
    "Sanchez",
    "Anderson",
    "Ramirez",
    "Taylor",
    "Torres",
    "Thomas",
    "Nguyen",
    "Jackson",
    "Flores",
    "White",
    "Rivera",
    "Harris",
    "O'Neal",
    "Clark",
    "St. James",
];
const MAKES: &[&str] = &[
    "Toyota",
    "Honda",
    "Ford",
    "Chevrolet",
    "Nissan",
    "Hyundai",
    "Kia",
    "Jeep",
    "GMC",
    "Subaru",
    "Dodge",
    "Volkswagen",
    "Mazda",
    "BMW",
    "Lexus",
    "Tesla",
];
const CARRIERS: &[&str] =
    &["Progressive", "State Farm", "GEICO", "Allstate", "Farmers", "USAA", "Acme Mutual"];
const CREDIT: &[&str] = &["excellent", "excellent", "good", "good", "good", "fair", "poor"];
const CONSENT: &str = "By clicking Get Quotes I agree to be contacted by phone, text and e-mail about \
                       insurance offers, including with automated technology. Consent is not a \
                       condition of purchase.";

/// Everything a form asks for.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    place: &'static Place,
    birth_date: String,
    carrier: Option<&'static str>,
    credit: Option<&'static str>,
    homeowner: bool,
    vehicle_year: u64,
    vehicle_make: &'static str,
    violations: u64,
    first_name: String,
    last_name: String,
    phone: String,
    email: String,
    trustedform_url: String,
}

impl Person {
    pub(crate) fn draw(random: &mut Random, phones: &mut PhoneBook) -> Self {
        let place = a_place(random);
        let phone = phones.next_number(place);
        let (first_name, last_name) = (*random.pick(FIRST_NAMES), *random.pick(LAST_NAMES));
        Self {
            place,
            birth_date: birth_date(random),
            carrier: random.chance(750).then(|| *random.pick(CARRIERS)),
            credit: random.chance(900).then(|| *random.pick(CREDIT)),
            homeowner: random.chance(580),
            vehicle_year: random.between(1998, 2025).max(random.between(1998, 2025)),
            vehicle_make: random.pick::<&str>(MAKES),
            violations: if random.chance(780) { 0 } else { random.between(1, 4) },
            email: email(first_name, last_name, &phone),
            first_name: first_name.to_owned(),
            last_name: last_name.to_owned(),
            phone,
            trustedform_url: certificate(random.next_u64(), random.next_u64()),
        }
    }

    /// Takes names, an address and a certificate that nobody else has; the number is unique already.
    pub(crate) fn become_canary(&mut self, seed: u64, index: u64) {
        self.first_name = canary::name(seed, index, "first");
        self.last_name = canary::name(seed, index, "last");
        self.email = format!("{}@example.com", canary::name(seed, index, "mail").to_lowercase());
        let draw = |part: &[u8]| hash(seed ^ hash(1, part), &index.to_le_bytes());
        self.trustedform_url = certificate(draw(b"certificate"), draw(b"rest"));
    }

    /// The fields in the order of the vertical.
    pub(crate) fn write(&self, fields: &mut Vec<(&'static str, Value)>) {
        fields.push(("zip", self.place.zip.into()));
        fields.push(("state", self.place.state.into()));
        fields.push(("birth_date", self.birth_date.clone().into()));
        fields.push(("currently_insured", self.carrier.is_some().into()));
        if let Some(carrier) = self.carrier {
            fields.push(("carrier", carrier.into()));
        }
        if let Some(credit) = self.credit {
            fields.push(("credit", credit.into()));
        }
        fields.push(("homeowner", self.homeowner.into()));
        fields.push(("vehicle_year", self.vehicle_year.into()));
        fields.push(("vehicle_make", self.vehicle_make.into()));
        fields.push(("violations", self.violations.into()));
        fields.push(("first_name", self.first_name.clone().into()));
        fields.push(("last_name", self.last_name.clone().into()));
        fields.push(("phone", self.phone.clone().into()));
        fields.push(("email", self.email.clone().into()));
        fields.push(("trustedform_url", self.trustedform_url.clone().into()));
        fields.push(("tcpa_text", CONSENT.into()));
    }
}

/// Between 19 and 80 years old in 2026, mostly in the middle; every day exists in every year.
fn birth_date(random: &mut Random) -> String {
    let year = u64::midpoint(random.between(1946, 2006), random.between(1946, 2006));
    format!("{year}-{:02}-{:02}", random.between(1, 12), random.between(1, 28))
}

/// A mailbox of `example.com`, made unique by the phone number.
fn email(first_name: &str, last_name: &str, phone: &str) -> String {
    let letters = |name: &str| -> String {
        name.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect()
    };
    format!("{}.{}.{phone}@example.com", letters(first_name), letters(last_name))
}

fn certificate(high: u64, low: u64) -> String {
    format!("https://cert.trustedform.com/{high:016x}{low:016x}")
}
