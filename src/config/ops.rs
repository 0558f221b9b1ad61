//! Where operators look: metrics and health.

use super::{
    error::{ConfigError, ensure},
    schema::section,
};

section! {
    /// Where operators look: metrics and health.
    pub struct Ops = "ops" {
        /// The address (host:port) of a separate listener for /metrics, /healthz and /readyz.
        /// "" = all on the main listener, where /metrics answers only direct callers from this
        /// machine.
        pub listen: String = String::new(),
    }
}

impl Ops {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let is_address = self
            .listen
            .rsplit_once(':')
            .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        ensure(self.listen.is_empty() || is_address, || {
            format!("ops.listen: {:?} is not host:port", self.listen)
        })
    }
}
