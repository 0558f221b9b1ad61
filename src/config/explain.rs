//! One clear line for a value that cannot be read.

use figment::error::{Actual, Kind};

use super::{ConfigError, names, schema::Shape};

/// What is wrong with a value: its key, where it came from, what was expected.
pub(super) fn explain(error: &figment::Error) -> ConfigError {
    let place = error.path.join(".");
    let origin = match &error.metadata {
        Some(metadata) => format!("{place} {}", metadata.name),
        None => place,
    };
    let two = error.path.iter().take(2).cloned().collect::<Vec<_>>();
    let line = match names::find(&two.join(".")) {
        Some((_, key)) => format!("{origin}: {}", misfit(&error.kind, key.shape)),
        None => format!("{origin}: {}", misfit_of_rule(&error.kind)),
    };
    ConfigError::new(line)
}

fn misfit(kind: &Kind, shape: Shape) -> String {
    let expected = shape.expected();
    match kind {
        Kind::Message(message) => message.clone(),
        _ if shape.is_secret() => format!("expected {expected}"),
        Kind::InvalidType(found, _) | Kind::InvalidValue(found, _) => {
            format!("found {}, expected {expected}", shown(found))
        }
        Kind::UnknownVariant(found, _) => format!("found {found:?}, expected {expected}"),
        _ => format!("expected {expected}"),
    }
}

/// A value as it would be written.
fn shown(found: &Actual) -> String {
    match found {
        Actual::Bool(value) => value.to_string(),
        Actual::Unsigned(value) => value.to_string(),
        Actual::Signed(value) => value.to_string(),
        Actual::Float(value) => value.to_string(),
        Actual::Str(value) => format!("{value:?}"),
        Actual::Seq => "a list".into(),
        Actual::Map => "a table".into(),
        other => other.to_string(),
    }
}

fn misfit_of_rule(kind: &Kind) -> String {
    match kind {
        Kind::UnknownField(found, known) => {
            let known: Vec<_> = known.iter().map(|name| (*name).to_owned()).collect();
            format!("unknown key {found}; {}", nearest(found, &known))
        }
        Kind::UnknownVariant(found, known) => {
            format!("found {found:?}, expected one of {}", known.join(", "))
        }
        Kind::MissingField(name) => format!("{name} is missing"),
        other => other.to_string(),
    }
}

/// `the nearest is …`: a name whose last part is the same, else the one with the fewest changes.
pub(super) fn nearest(given: &str, known: &[String]) -> String {
    let last = |name: &str| name.rsplit('.').next().map(str::to_owned);
    let distance = |name: &&String| {
        (
            last(name) != last(given),
            strsim::damerau_levenshtein(name, given),
        )
    };
    known
        .iter()
        .min_by_key(distance)
        .map_or_else(String::new, |name| format!("the nearest is {name}"))
}
