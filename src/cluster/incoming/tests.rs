//! What is news of what other nodes tell.

use super::*;
use crate::cluster::QueueLimits;

fn told(node: &str, number: u64) -> Head {
    Head {
        node: node.to_owned(),
        number,
        sent_at_ms: Timestamp::now().as_ms(),
    }
}

#[test]
fn what_a_node_has_told_is_news_once_and_what_it_told_between_was_missed() {
    let (frames, bytes) = (10, 1_000);
    let (heard, mut to_deliver) = mpsc::channel(10);
    let (deaf_since, mut to_read) = mpsc::unbounded_channel();
    let incoming = Incoming {
        outgoing: Outgoing::new("a".into(), QueueLimits { frames, bytes }),
        hearing: Hearing::default(),
        heard,
        deaf_since,
        notices: mpsc::unbounded_channel().0,
    };
    let mut nodes = HashMap::new();
    let mut is_news = |node, number| incoming.note(&told(node, number), &mut nodes);
    // It may have told others more than that before.
    assert!(is_news("b", 7) && is_news("b", 8) && is_news("c", 1));
    assert!(to_deliver.try_recv().is_err());
    // Heard on two connections.
    assert!(!is_news("b", 8) && !is_news("b", 7));
    assert!(is_news("b", 11));
    assert!(matches!(to_deliver.try_recv(), Ok(Heard::Missed)));
    assert!(to_read.try_recv().is_ok());
    // It comes late, and has been asked for again.
    assert!(!is_news("b", 10));
    assert!(to_deliver.try_recv().is_err());
}
