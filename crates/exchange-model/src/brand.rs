//! Names of buyers and brands that a seller lists: whom a consumer agreed to hear from, and who has
//! a lead already.
//!
//! A seller may write a name, or the MD5 or SHA-256 of the lower-case name, so that it need not
//! show its other customers to us. One form never counts for more than another.

use md5::Md5;
use sha2::{Digest as _, Sha256};

/// Most names in a list.
pub const NAMES_MAX: usize = 1_000;
/// Longest name, in bytes.
pub const NAME_MAX: usize = 200;

/// One name to be looked for, in all the forms it may be written in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Brand {
    lower: String,
    md5: String,
    sha256: String,
}

impl Brand {
    /// A name as it is written for people.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let lower = name.trim().to_lowercase();
        Self {
            md5: hex(&Md5::digest(lower.as_bytes())),
            sha256: hex(&Sha256::digest(lower.as_bytes())),
            lower,
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Why names are no list.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadBrands {
    /// More than [`NAMES_MAX`].
    #[error("at most {NAMES_MAX} names")]
    TooMany,
    /// A name is longer than [`NAME_MAX`].
    #[error("at most {NAME_MAX} bytes a name")]
    TooLong,
}

/// Names as a seller listed them, in lower case and order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BrandList(Vec<String>);

impl BrandList {
    /// These names; empty ones count for nothing.
    ///
    /// # Errors
    /// [`BadBrands`].
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, BadBrands> {
        let mut list: Vec<String> = Vec::new();
        for name in names.into_iter().map(str::trim).filter(|name| !name.is_empty()) {
            if name.len() > NAME_MAX {
                return Err(BadBrands::TooLong);
            }
            if list.len() == NAMES_MAX {
                return Err(BadBrands::TooMany);
            }
            list.push(name.to_lowercase());
        }
        list.sort_unstable();
        list.dedup();
        Ok(Self(list))
    }

    /// Whether the list names this brand, in any form.
    #[must_use]
    pub fn names(&self, brand: &Brand) -> bool {
        let has = |form: &String| self.0.binary_search(form).is_ok();
        has(&brand.lower) || has(&brand.md5) || has(&brand.sha256)
    }

    /// The names as they are kept.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_each_of_its_forms_and_nothing_else_is() {
        let acme = Brand::new("Acme Mutual");
        for (form, found) in [(" ACME mutual ", true), ("acme", false), ("acme mutual inc", false)]
        {
            assert_eq!(BrandList::new([form]).unwrap().names(&acme), found, "{form}");
        }
        let md5 = hex(&Md5::digest(b"acme mutual")).to_uppercase();
        let sha256 = hex(&Sha256::digest(b"acme mutual"));
        for form in [md5, sha256] {
            assert!(BrandList::new(["other", form.as_str()]).unwrap().names(&acme), "{form}");
        }
        assert!(!BrandList::new([""]).unwrap().names(&Brand::new("")), "nobody has no name");
    }

    #[test]
    fn lists_have_limits() {
        let names: Vec<String> = (0..=NAMES_MAX).map(|n| n.to_string()).collect();
        let all = names.iter().map(String::as_str);
        assert_eq!(BrandList::new(all), Err(BadBrands::TooMany));
        assert_eq!(BrandList::new(["x".repeat(201).as_str()]), Err(BadBrands::TooLong));
    }
}
