//! Facts about addresses in the United States.

/// States, the District of Columbia, territories and military codes, with the ranges of the first
/// three digits of their zips (USPS Publication 65 / the USPS three-digit zip prefix list).
pub const STATES: &[(&str, &[(u16, u16)])] = &[
    ("AL", &[(350, 369)]),
    ("AK", &[(995, 999)]),
    ("AZ", &[(850, 865)]),
    ("AR", &[(716, 729)]),
    ("CA", &[(900, 961)]),
    ("CO", &[(800, 816)]),
    ("CT", &[(60, 69)]),
    ("DE", &[(197, 199)]),
    ("DC", &[(200, 205), (569, 569)]),
    ("FL", &[(320, 339), (341, 342), (344, 344), (346, 347), (349, 349)]),
    ("GA", &[(300, 319), (398, 399)]),
    ("HI", &[(967, 968)]),
    ("ID", &[(832, 838)]),
    ("IL", &[(600, 629)]),
    ("IN", &[(460, 479)]),
    ("IA", &[(500, 528)]),
    ("KS", &[(660, 679)]),
    ("KY", &[(400, 427)]),
    ("LA", &[(700, 714)]),
    ("ME", &[(39, 49)]),
    ("MD", &[(206, 219)]),
    ("MA", &[(10, 27), (55, 55)]),
    ("MI", &[(480, 499)]),
    ("MN", &[(550, 567)]),
    ("MS", &[(386, 397)]),
    ("MO", &[(630, 658)]),
    ("MT", &[(590, 599)]),
    ("NE", &[(680, 693)]),
    ("NV", &[(889, 898)]),
    ("NH", &[(30, 38)]),
    ("NJ", &[(70, 89)]),
    ("NM", &[(870, 884)]),
    ("NY", &[(5, 5), (100, 149)]),
    ("NC", &[(270, 289)]),
    ("ND", &[(580, 588)]),
    ("OH", &[(430, 459)]),
    ("OK", &[(730, 731), (734, 749)]),
    ("OR", &[(970, 979)]),
    ("PA", &[(150, 196)]),
    ("PR", &[(6, 7), (9, 9)]),
    ("RI", &[(28, 29)]),
    ("SC", &[(290, 299)]),
    ("SD", &[(570, 577)]),
    ("TN", &[(370, 385)]),
    ("TX", &[(733, 733), (750, 799), (885, 885)]),
    ("UT", &[(840, 847)]),
    ("VT", &[(50, 54), (56, 59)]),
    ("VA", &[(201, 201), (220, 246)]),
    ("VI", &[(8, 8)]),
    ("WA", &[(980, 994)]),
    ("WV", &[(247, 268)]),
    ("WI", &[(530, 549)]),
    ("WY", &[(820, 831)]),
];

/// Whether a two-letter code is a state here.
#[must_use]
pub(super) fn is_state(code: &str) -> bool {
    STATES.iter().any(|(state, _)| *state == code)
}

/// The states that a zip may lie in; most zips have one, prefix 201 has two, an unused prefix none.
pub fn state_of_zip(zip: &str) -> impl Iterator<Item = &'static str> {
    let prefix: Option<u16> = zip.get(..3).and_then(|digits| digits.parse().ok());
    STATES
        .iter()
        .filter(move |(_, ranges)| {
            prefix.is_some_and(|p| ranges.iter().any(|(low, high)| (*low..=*high).contains(&p)))
        })
        .map(|(state, _)| *state)
}

/// Zips of one state whose mail goes to a town of another.
const ACROSS: &[(&str, &str)] = &[
    ("06390", "NY"),
    ("42223", "TN"),
    ("73949", "TX"),
    ("81137", "NM"),
    ("83414", "WY"),
    ("84536", "AZ"),
    ("86044", "UT"),
    ("86515", "NM"),
    ("88063", "TX"),
    ("89439", "CA"),
    ("97635", "CA"),
];

/// Whether a zip may lie in a state: by its first three digits, and a few that cross a border.
pub(super) fn zip_may_lie_in(zip: &str, state: &str) -> bool {
    state_of_zip(zip).any(|known| known == state) || ACROSS.contains(&(zip, state))
}
