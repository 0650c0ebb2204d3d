//! `rialto health`: asks the running exchange whether it takes leads, for container health checks.

use std::time::Duration;

use crate::cli::block_on;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure, Ran};

/// How long the exchange may take to say that it is well.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks once.
pub(crate) fn run(context: &Context) -> Ran {
    let address = context.settings(&[])?.server.operator_listen;
    let url = format!("http://{address}/readyz");
    block_on(async {
        let client = crate::cli::books::client(PATIENCE)?;
        let answer = client.get(&url).send().await;
        match answer {
            Ok(answer) if answer.status().is_success() => {
                context.out.data("ready")?;
                Ok(Exit::Done)
            }
            Ok(answer) => {
                let status = answer.status();
                let why = answer.text().await.unwrap_or_default();
                Err(Failure::failed(format!("not ready ({status}): {}", why.trim())))
            }
            Err(_unreachable) => Err(Failure::failed(format!("nothing answers at {url}"))),
        }
    })
}
