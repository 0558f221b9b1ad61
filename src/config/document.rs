//! The whole configuration as a commented `roomcast.toml`.

use super::{
    SECTIONS,
    schema::{Key, Section, Shape},
};

const HEAD: &str = "\
# roomcast.toml: every key of the configuration with its default and meaning.
#
# Flags win over the environment, the environment over this file, this file over the defaults.
# The file is ./roomcast.toml, or the one that --config or ROOMCAST_CONFIG names. An empty
# environment variable counts as not set; lists in the environment are separated by commas.
";

pub(super) const RULES: &str = r#"
# Rules for events that only put their sender into a room. An event named like that of a built-in
# rule (watch-delivery, join-product-room) replaces the rule.
#
# [[watch]]
# event = "watch-table"      # the event that enters the room; its argument is the id
# leave = "unwatch-table"    # the event that leaves it; "" = none (default)
# room = "table-{id}"        # the room: {id} exactly once, after at least four characters
# who = "user"               # guest (anyone), user (default), driver, vendor or service
# snapshot = "none"          # none (default); position for tracking:{id}, stock for product-{id}

# Rules for what else workers publish on Redis, beside the built-in channels (bridge.channels).
#
# [[relay]]
# channel = "tables:{id}"    # the channel; {id}, at most once, stands for any text
# room = "table-{id}"        # the room: {id} is the channel's, {/pointer} a value of the message
# event = "table-changed"    # the event that its sockets hear
# payload = "/data"          # a JSON pointer to the event's argument; "" = the whole message
#
# [[relay]]
# stream = "order-stream"    # a Redis Stream instead: no entry is lost while a node restarts; its
#                            # field "data" is the message, or else its only field
# as = "orders"              # event (default), orders, notifications or inventory-updates: taken
#                            # as on that channel, without room and event

# Rules for events of clients that your backend answers: it gets the event as JSON by POST, and its
# response is the ack.
#
# [[forward]]
# event = "order:place"      # the event; none of Roomcast's own, and of no [[watch]] rule
# url = "http://127.0.0.1:8080/events"
# secret = "whsec_..."       # signs what is sent, as Standard Webhooks lays down: whsec_ and base64,
#                            # or plain text
# who = "user"               # guest (anyone), user (default), driver, vendor or service
# timeout_ms = 5000          # how long the response may take (timed_out); at most
#                            # socket.event_timeout_ms
# max_in_flight = 64         # the most requests of a node under way; beyond them backend_busy
# failures = 5               # after so many failures in a row the backend is left alone
#                            # (backend_unavailable)
# pause_ms = 5000            # for so long; then one event is tried
# response_bytes = 1000000   # the largest response
"#;

/// Every key with its default, meaning and names, as TOML that can be read back.
pub(super) fn document() -> Result<String, toml::ser::Error> {
    let mut text = HEAD.to_owned();
    for section in SECTIONS {
        let defaults = (section.defaults)()?;
        text.push('\n');
        comment(&mut text, section.doc);
        text.push_str(&format!("[{}]\n", section.name));
        for key in section.keys {
            describe(&mut text, section, key);
            if let Some(default) = defaults.get(key.name) {
                text.push_str(&format!("{} = {default}\n", key.name));
            }
        }
    }
    text.push_str(RULES);
    Ok(text)
}

fn describe(text: &mut String, section: &Section, key: &Key) {
    text.push('\n');
    comment(text, key.doc);
    if let Shape::Choice(words) = key.shape {
        text.push_str(&format!("# One of: {}.\n", words.join(", ")));
    }
    if key.min > 0 {
        text.push_str(&format!("# At least {}.\n", key.min));
    }
    let variable = section.variable(key);
    let names: Vec<_> = [variable.as_str()]
        .into_iter()
        .chain(key.env.iter().copied())
        .collect();
    text.push_str(&format!("# Environment: {}\n", names.join(", ")));
}

/// Doc lines begin with the blank after `///`.
fn comment(text: &mut String, lines: &[&str]) {
    for line in lines {
        text.push_str(&format!("#{line}\n"));
    }
}
