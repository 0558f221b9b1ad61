//! `roomcast simulate`: traffic to look at, sent to a running server as real phones would send it.

mod city;
mod phone;
mod target;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use clap::{Args, Subcommand};
use reqwest::StatusCode;
use tokio::{sync::mpsc, task::JoinSet};
use url::Url;

use super::{Failure, FileArgs, say, signals};
use crate::{
    config::{Config, Preset},
    outgoing::PostError,
};
use city::City;
use phone::{Network, News, Phone};
use target::{Target, driver_ids, token_for};

/// What phones have told and was not printed yet; they wait when it is more.
const NEWS: usize = 64;

/// `roomcast simulate`.
#[derive(Args, Debug)]
pub(super) struct SimulateArgs {
    #[command(subcommand)]
    what: Simulated,
}

#[derive(Debug, Subcommand)]
enum Simulated {
    /// Drivers who report where they are until Ctrl-C; the last one goes offline for a while
    Drivers(DriversArgs),
}

#[derive(Args, Debug)]
struct DriversArgs {
    /// The server [default: the one of this configuration, on this machine]
    #[arg(long, value_name = "URL")]
    url: Option<Url>,
    /// How many: the demo's sample drivers, then driver-5, driver-6 and so on
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    drivers: u16,
    /// How often each reports, in reports per second
    #[arg(long, value_name = "RATE", default_value_t = 1.0, value_parser = rate)]
    rate: f64,
    /// After how long the last one falls silent, for a minute, and again and again; 0s = never
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = humantime::parse_duration)]
    offline_after: Duration,
    #[command(flatten)]
    file: FileArgs,
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    let fits = (0.05..=20.0).contains(&rate);
    fits.then_some(rate)
        .ok_or_else(|| "0.05 to 20 are possible".to_owned())
}

/// Why nothing can be simulated.
#[derive(Debug, thiserror::Error)]
pub(super) enum SimulateError {
    #[error("the city's map cannot be read: {0}")]
    City(#[from] serde_json::Error),
    #[error("the server cannot be asked for its sample users: {0}")]
    Unreachable(PostError),
    #[error(
        "the server gives no tokens away ({0}): start it with --dev, or set the JWT_SECRET that it has"
    )]
    NoTokens(StatusCode),
    #[error("a driver's report was refused: {0}")]
    Refused(String),
}

/// Simulates until a signal ends it.
pub(super) fn run(args: &SimulateArgs) -> Result<(), Failure> {
    let Simulated::Drivers(args) = &args.what;
    let config = Config::load(&args.file.sources(Preset::Standard, Vec::new()))?;
    let target = Arc::new(Target::new(args.url.as_ref(), config)?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::Runtime)?;
    runtime.block_on(drive(args, target))
}

async fn drive(args: &DriversArgs, target: Arc<Target>) -> Result<(), Failure> {
    let shutdown = signals::shutdown().map_err(Failure::Runtime)?;
    let city = Arc::new(City::load().map_err(SimulateError::City)?);
    let accounts = target.accounts().await?;
    let ids = driver_ids(&accounts, args.drivers.into());
    let (told, mut news) = mpsc::channel(NEWS);
    let mut phones = JoinSet::new();
    for (n, id) in ids.iter().enumerate() {
        let network = Network::of(n + 1 == ids.len(), args.offline_after);
        let phone = Phone::new(id.clone(), n, city.clone(), network, told.clone());
        let phone = phone.signed_in(token_for(&accounts, id));
        phones.spawn(phone.run(target.clone(), Duration::from_secs_f64(1.0 / args.rate)));
    }
    say(&format!("driving to {}: {}", target.base, ids.join(", ")))?;
    say(&format!(
        "watch them at {}/#/delivery?drivers={}",
        target.base,
        ids.len()
    ))?;
    let mut cut_off = BTreeSet::new();
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            Some(news) = news.recv() => tell(news, &mut cut_off)?,
        }
    }
}

/// Prints what a phone tells; that the server is away once for all of them.
fn tell(news: News, cut_off: &mut BTreeSet<String>) -> Result<(), Failure> {
    match news {
        News::Silent(driver) => say(&format!("{driver} falls silent")),
        News::Back(driver) => say(&format!("{driver} is back")),
        News::Refused(why) => Err(SimulateError::Refused(why).into()),
        News::CutOff(driver) => {
            let is_first = cut_off.is_empty();
            cut_off.insert(driver);
            match is_first {
                true => say("the server does not take reports; the phones keep them and try again"),
                false => Ok(()),
            }
        }
        News::Reached(driver) => {
            let was_cut_off = cut_off.remove(&driver);
            match was_cut_off && cut_off.is_empty() {
                true => say("the server takes reports again"),
                false => Ok(()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        simulate: SimulateArgs,
    }

    fn drivers(line: &str) -> Result<DriversArgs, clap::Error> {
        let words = ["simulate"].into_iter().chain(line.split(' '));
        let Simulated::Drivers(args) = Line::try_parse_from(words)?.simulate.what;
        Ok(args)
    }

    #[test]
    fn four_drivers_report_once_a_second_unless_told_otherwise() {
        let args = drivers("drivers").unwrap();
        assert_eq!((args.drivers, args.rate), (4, 1.0));
        assert_eq!(args.offline_after, Duration::from_secs(20));
        assert!(drivers("drivers --rate 0").is_err());
        assert!(drivers("drivers --drivers 0").is_err());
        assert!(drivers("drivers --url nowhere").is_err());
    }
}
