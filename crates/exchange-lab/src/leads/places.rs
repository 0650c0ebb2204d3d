//! Real zips with their states and area codes, and phone numbers that belong to nobody.

use std::collections::BTreeMap;

use crate::random::Random;

/// A zip with its state and area code.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) zip: &'static str,
    pub(crate) state: &'static str,
    pub(crate) area_code: &'static str,
    /// How often it is drawn, against the others.
    weight: u64,
}

const fn place(
    zip: &'static str,
    state: &'static str,
    area_code: &'static str,
    weight: u64,
) -> Place {
    Place { zip, state, area_code, weight }
}

/// Weighted to the states the sample's buyers want.
pub(crate) static PLACES: &[Place] = &[
    place("78701", "TX", "512", 6),
    place("78702", "TX", "512", 2),
    place("78745", "TX", "512", 4),
    place("77002", "TX", "713", 6),
    place("77036", "TX", "713", 4),
    place("77494", "TX", "281", 3),
    place("75201", "TX", "214", 5),
    place("75061", "TX", "972", 3),
    place("76102", "TX", "817", 4),
    place("78205", "TX", "210", 5),
    place("79901", "TX", "915", 3),
    place("78501", "TX", "956", 2),
    place("79401", "TX", "806", 2),
    place("78401", "TX", "361", 2),
    place("33101", "FL", "305", 5),
    place("33301", "FL", "954", 4),
    place("33401", "FL", "561", 3),
    place("32801", "FL", "407", 4),
    place("33602", "FL", "813", 4),
    place("32202", "FL", "904", 3),
    place("33701", "FL", "727", 2),
    place("32501", "FL", "850", 2),
    place("30303", "GA", "404", 4),
    place("30060", "GA", "770", 3),
    place("31401", "GA", "912", 2),
    place("30901", "GA", "706", 2),
    place("73102", "OK", "405", 4),
    place("74103", "OK", "918", 3),
    place("73501", "OK", "580", 1),
    place("70112", "LA", "504", 4),
    place("70802", "LA", "225", 3),
    place("70501", "LA", "337", 2),
    place("71101", "LA", "318", 2),
    place("72201", "AR", "501", 3),
    place("72701", "AR", "479", 2),
    place("71601", "AR", "870", 1),
    place("87102", "NM", "505", 3),
    place("88001", "NM", "575", 2),
    place("85004", "AZ", "602", 2),
    place("85701", "AZ", "520", 1),
    place("36104", "AL", "334", 1),
    place("35203", "AL", "205", 1),
    place("39201", "MS", "601", 1),
    place("37203", "TN", "615", 2),
    place("38103", "TN", "901", 1),
    place("28202", "NC", "704", 2),
    place("27601", "NC", "919", 1),
    place("29201", "SC", "803", 1),
    place("64106", "MO", "816", 1),
    place("66101", "KS", "913", 1),
    place("80202", "CO", "303", 2),
    place("89101", "NV", "702", 2),
    place("90012", "CA", "213", 2),
    place("92101", "CA", "619", 1),
    place("95814", "CA", "916", 1),
    place("10001", "NY", "212", 1),
    place("14202", "NY", "716", 1),
    place("60601", "IL", "312", 2),
    place("43215", "OH", "614", 2),
    place("48226", "MI", "313", 1),
    place("19103", "PA", "215", 2),
    place("98101", "WA", "206", 1),
];

/// A place, by weight.
pub(crate) fn a_place(random: &mut Random) -> &'static Place {
    let total: u64 = PLACES.iter().map(|place| place.weight).sum();
    let mut left = random.below(total);
    for place in PLACES {
        if left < place.weight {
            return place;
        }
        left -= place.weight;
    }
    PLACES.first().expect("the table is not empty")
}

/// Hands out each number once: per area code 555-0100 upwards, so the first hundred are the ones
/// set aside for fiction, and then exchanges 556 and on, should 9,900 people not be enough.
#[derive(Debug, Default)]
pub(crate) struct PhoneBook {
    given: BTreeMap<&'static str, u64>,
}

impl PhoneBook {
    const LINES: u64 = 9_900;

    pub(crate) fn next_number(&mut self, place: &Place) -> String {
        let given = self.given.entry(place.area_code).or_default();
        let (exchange, line) = (555 + *given / Self::LINES, 100 + *given % Self::LINES);
        *given += 1;
        format!("{}{exchange}{line:04}", place.area_code)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_table_is_well_formed() {
        let zips: BTreeSet<_> = PLACES.iter().map(|place| place.zip).collect();
        assert_eq!(zips.len(), PLACES.len());
        assert!(PLACES.len() >= 60);
        for place in PLACES {
            assert!(place.zip.len() == 5 && place.state.len() == 2 && place.weight > 0);
            assert!(place.area_code.starts_with(['2', '3', '4', '5', '6', '7', '8', '9']));
        }
    }

    #[test]
    fn numbers_run_past_one_exchange_without_repeating() {
        let mut phones = PhoneBook::default();
        let place = PLACES.first().unwrap();
        let numbers: BTreeSet<_> = (0..10_000).map(|_| phones.next_number(place)).collect();
        assert_eq!(numbers.len(), 10_000);
        assert!(numbers.contains("5125550100") && numbers.contains("5125560100"));
    }
}
