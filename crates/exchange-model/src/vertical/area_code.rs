//! Area codes of the North American Numbering Plan.
//!
//! Codes that are given to people, in the United States by state, as of November 2026 (the
//! announcements of the North American Numbering Plan Administrator). Toll-free codes and those for services
//! belong to nobody's home and are not here. New codes come a few times a year: a check that
//! refuses by this table refuses them until it is brought up to date.

use super::us::STATES;

/// Whom an area code belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AreaCode {
    /// A state, the District of Columbia or a territory with a state code in
    /// [`STATES`](super::STATES).
    State(&'static str),
    /// Another part of the plan: Canada, the Caribbean, the Pacific.
    Elsewhere,
}

impl AreaCode {
    /// The area codes of this state, to compare with; nothing for no state.
    #[must_use]
    pub fn of_state(state: &str) -> Option<Self> {
        STATES.iter().find(|(code, _)| *code == state).map(|(code, _)| Self::State(code))
    }
}

/// Whom the area code of a phone number of ten digits belongs to; nothing when it is not in use.
#[must_use]
pub fn area_code(phone: &str) -> Option<AreaCode> {
    let code: u16 = phone.get(..3)?.parse().ok()?;
    let state = BY_STATE.iter().find(|(_, codes)| codes.binary_search(&code).is_ok());
    match state {
        Some((state, _)) => Some(AreaCode::State(state)),
        None => ELSEWHERE.binary_search(&code).is_ok().then_some(AreaCode::Elsewhere),
    }
}

/// The codes of each state, in order.
const BY_STATE: &[(&str, &[u16])] = &[
    ("AL", &[205, 251, 256, 334, 483, 659, 938]),
    ("AK", &[907]),
    ("AZ", &[480, 520, 602, 623, 928]),
    ("AR", &[327, 479, 501, 870]),
    (
        "CA",
        &[
            209, 213, 279, 310, 323, 341, 350, 357, 369, 408, 415, 424, 442, 510, 530, 559, 562,
            619, 626, 628, 650, 657, 661, 669, 707, 714, 738, 747, 760, 805, 818, 820, 831, 837,
            840, 858, 909, 916, 925, 949, 951,
        ],
    ),
    ("CO", &[303, 719, 720, 748, 970, 983]),
    ("CT", &[203, 475, 860, 959]),
    ("DE", &[302]),
    ("DC", &[202, 771]),
    (
        "FL",
        &[
            239, 305, 321, 324, 352, 386, 407, 448, 561, 645, 656, 689, 727, 728, 754, 772, 786,
            813, 850, 863, 904, 941, 954,
        ],
    ),
    ("GA", &[229, 404, 470, 478, 678, 706, 762, 770, 912, 943]),
    ("HI", &[808]),
    ("ID", &[208, 986]),
    ("IL", &[217, 224, 309, 312, 331, 447, 464, 618, 630, 708, 730, 773, 779, 815, 847, 861, 872]),
    ("IN", &[219, 260, 317, 463, 574, 765, 812, 930]),
    ("IA", &[319, 515, 563, 641, 712]),
    ("KS", &[316, 620, 785, 913]),
    ("KY", &[270, 364, 502, 606, 859]),
    ("LA", &[225, 318, 337, 457, 504, 985]),
    ("ME", &[207]),
    ("MD", &[227, 240, 301, 410, 443, 667]),
    ("MA", &[339, 351, 413, 508, 617, 774, 781, 857, 978]),
    ("MI", &[231, 248, 269, 313, 517, 586, 616, 679, 734, 810, 906, 947, 989]),
    ("MN", &[218, 320, 507, 612, 651, 763, 924, 952]),
    ("MS", &[228, 471, 601, 662, 769]),
    ("MO", &[235, 314, 417, 557, 573, 636, 660, 816, 975]),
    ("MT", &[406]),
    ("NE", &[308, 402, 531]),
    ("NV", &[702, 725, 775]),
    ("NH", &[603]),
    ("NJ", &[201, 551, 609, 640, 732, 848, 856, 862, 908, 973]),
    ("NM", &[505, 575]),
    (
        "NY",
        &[
            212, 315, 329, 332, 347, 363, 465, 516, 518, 585, 607, 624, 631, 646, 680, 716, 718,
            838, 845, 914, 917, 929, 934,
        ],
    ),
    ("NC", &[252, 336, 472, 704, 743, 828, 910, 919, 980, 984]),
    ("ND", &[701]),
    ("OH", &[216, 220, 234, 283, 326, 330, 380, 419, 436, 440, 513, 567, 614, 740, 937]),
    ("OK", &[405, 539, 572, 580, 918]),
    ("OR", &[458, 503, 541, 971]),
    ("PA", &[215, 223, 267, 272, 412, 445, 484, 570, 582, 610, 717, 724, 814, 835, 878]),
    ("PR", &[787, 939]),
    ("RI", &[401]),
    ("SC", &[803, 821, 839, 843, 854, 864]),
    ("SD", &[605]),
    ("TN", &[423, 615, 629, 729, 731, 865, 901, 931]),
    (
        "TX",
        &[
            210, 214, 254, 281, 325, 346, 361, 409, 430, 432, 469, 512, 621, 682, 713, 726, 737,
            806, 817, 830, 832, 903, 915, 936, 940, 945, 956, 972, 979,
        ],
    ),
    ("UT", &[385, 435, 801]),
    ("VT", &[802]),
    ("VA", &[276, 434, 540, 571, 686, 703, 757, 804, 826, 948]),
    ("VI", &[340]),
    ("WA", &[206, 253, 360, 425, 509, 564]),
    ("WV", &[304, 681]),
    ("WI", &[262, 274, 353, 414, 534, 608, 715, 920]),
    ("WY", &[307]),
];

/// Codes of the rest of the plan, in order.
const ELSEWHERE: &[u16] = &[
    204, 226, 236, 242, 246, 249, 250, 257, 263, 264, 268, 284, 289, 306, 343, 345, 354, 365, 367,
    368, 382, 403, 416, 418, 428, 431, 437, 438, 441, 450, 468, 473, 474, 506, 514, 519, 548, 579,
    581, 584, 587, 604, 613, 639, 647, 649, 658, 664, 670, 671, 672, 683, 684, 705, 709, 721, 742,
    753, 758, 767, 778, 780, 782, 784, 807, 809, 819, 825, 829, 849, 867, 868, 869, 873, 876, 879,
    902, 905, 942,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_belongs_to_one_place_and_the_lists_are_in_order() {
        let mut all: Vec<u16> =
            BY_STATE.iter().flat_map(|(_, codes)| codes.iter()).chain(ELSEWHERE).copied().collect();
        assert!(BY_STATE.iter().all(|(_, codes)| codes.is_sorted()) && ELSEWHERE.is_sorted());
        let many = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), many);
        assert!(all.iter().all(|code| code % 100 != 11 && (200..1000).contains(code)));
        assert_eq!(BY_STATE.len(), STATES.len());
        assert!(BY_STATE.iter().all(|(state, _)| AreaCode::of_state(state).is_some()));
    }

    #[test]
    fn codes_belong_to_their_states() {
        for (phone, state) in [("5125550134", "TX"), ("2125550134", "NY"), ("9075550134", "AK")] {
            assert_eq!(area_code(phone), AreaCode::of_state(state), "{phone}");
        }
        assert_eq!(area_code("4165550134"), Some(AreaCode::Elsewhere));
        for nobody in ["8005550134", "5555550134", "2305550134", ""] {
            assert_eq!(area_code(nobody), None, "{nobody}");
        }
    }
}
