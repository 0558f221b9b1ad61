//! Any number of arguments of one event.

use serde::{Deserialize, Serialize, Serializer, ser::SerializeTuple};

/// Arguments of an event, binary among them by default. They are written as a tuple, so that each
/// stays an argument of its own.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Args<T = rmpv::Value>(pub Vec<T>);

impl<T: Serialize> Serialize for Args<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut tuple = to.serialize_tuple(self.0.len())?;
        for argument in &self.0 {
            tuple.serialize_element(argument)?;
        }
        tuple.end()
    }
}
