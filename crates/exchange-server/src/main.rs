//! The `rialto` binary: everything it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    exchange_server::cli::main()
}
