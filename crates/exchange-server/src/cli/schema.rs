//! `rialto schema`: what may stand in each file of the config, for editors.
//!
//! JSON Schema (draft 2020-12), kept by hand in `schema/` beside the sources: an editor that knows
//! it completes keys, shows what each means and marks what is misspelt. It knows one file at a
//! time; what `rialto check` finds across files, and in templates, it cannot know.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure, Ran};

/// A kind of config file.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Kind {
    /// config/buyers/*.toml
    Buyer,
    /// config/verticals/*.toml
    Vertical,
    /// config/sellers/*.toml
    Seller,
    /// config/trees/*.toml
    Tree,
    /// config/groups.toml
    Groups,
    /// config/tests/*.toml
    Test,
    /// config/rialto.toml
    Rialto,
}

impl Kind {
    /// The schema's file name and text.
    pub(crate) const fn file(self) -> (&'static str, &'static str) {
        match self {
            Self::Buyer => ("buyer.json", include_str!("../../../../schema/buyer.json")),
            Self::Vertical => ("vertical.json", include_str!("../../../../schema/vertical.json")),
            Self::Seller => ("seller.json", include_str!("../../../../schema/seller.json")),
            Self::Tree => ("tree.json", include_str!("../../../../schema/tree.json")),
            Self::Groups => ("groups.json", include_str!("../../../../schema/groups.json")),
            Self::Test => ("test.json", include_str!("../../../../schema/test.json")),
            Self::Rialto => ("rialto.json", include_str!("../../../../schema/rialto.json")),
        }
    }
}

/// Options of `rialto schema`.
#[derive(Args, Debug)]
pub(crate) struct Schema {
    /// Which file it is for; with --out, all of them where none is named
    #[arg(value_enum)]
    kind: Option<Kind>,
    /// Write into this folder instead of printing
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints a schema, or writes schemas.
pub(crate) fn run(options: &Schema, context: &Context) -> Ran {
    let chosen: Vec<Kind> =
        options.kind.map_or_else(|| Kind::value_variants().to_vec(), |kind| vec![kind]);
    match (&options.out, options.kind) {
        (Some(dir), _) => write(dir, &chosen, context)?,
        (None, Some(kind)) => context.out.raw(kind.file().1)?,
        (None, None) => {
            return Err(Failure::usage("which schema?")
                .help("buyer, vertical, seller, tree, test or rialto; or all of them: --out DIR"));
        }
    }
    Ok(Exit::Done)
}

fn write(dir: &Path, kinds: &[Kind], context: &Context) -> Result<(), Failure> {
    std::fs::create_dir_all(dir)?;
    for kind in kinds {
        let (name, text) = kind.file();
        let path = dir.join(name);
        std::fs::write(&path, text)
            .map_err(|error| Failure::failed(format!("`{}`: {error}", path.display())))?;
        context.out.data(path.display())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
