//! The guide: how to begin, move to it, set it up, run it, and what may be relied on.
//!
//! Its pages are those in `src/guide`, so that GitHub shows them, their Rust is compiled and run as
//! documentation tests, and their commands, variables and snippets are checked like the README's.

/// Declares a page. Of two links with one name the first one counts: here the pages lead to each
/// other's modules, on GitHub to each other's files.
macro_rules! page {
    ($name:ident, $file:literal) => {
        pub mod $name {
            #![doc = "[tour]: super::tour"]
            #![doc = "[migrating]: super::migrating"]
            #![doc = "[mixed]: super::migrating#one-node-at-a-time"]
            #![doc = "[configuration]: super::configuration"]
            #![doc = "[operations]: super::operations"]
            #![doc = "[nodes]: super::operations#several-nodes"]
            #![doc = "[proxies]: super::operations#proxies"]
            #![doc = "[guarantees]: super::guarantees"]
            #![doc = "[away]: super::guarantees#users-who-were-away"]
            #![doc = "[security]: super::security"]
            #![doc = "[limits]: super::security#limits"]
            #![doc = ""]
            #![doc = include_str!($file)]
        }
    };
}

page!(tour, "guide/tour.md");
page!(migrating, "guide/migrating.md");
page!(configuration, "guide/configuration.md");
page!(operations, "guide/operations.md");
page!(guarantees, "guide/guarantees.md");
page!(security, "guide/security.md");
