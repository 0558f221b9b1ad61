//! A slow reader that reads again: the entries that were kept back for it come from their feeds.

use std::{sync::Arc, time::Duration};

use crate::{
    domain::{Entry, FeedId, Verdict},
    ports::Class,
    realtime::{
        Context,
        connection::{CloseReason, Connection},
        outbox::Pushed,
    },
    services::present,
};

/// How many entries are read at a time: what does not fit any more is read again later.
const PAGE: usize = 16;

/// How long to wait before the store is asked again.
const RETRY: Duration = Duration::from_millis(500);

/// Sends what was kept back, in a task of its own, until all is sent or the reader is slow again.
pub fn begin(context: &Context) {
    let connection = context.session.connection();
    if let Some(turn) = connection.begin_catch_up() {
        let context = context.clone();
        tokio::spawn(async move {
            catch_up(&context).await;
            drop(turn);
            let connection = context.session.connection();
            // What was kept back while this ended.
            if connection.any_behind().is_some() {
                connection.ask_for_relief();
            }
        });
    }
}

async fn catch_up(context: &Context) {
    let connection = context.session.connection();
    while let Some((feed, behind)) = connection.any_behind() {
        if connection.has_ended() || connection.is_pressed() {
            return;
        }
        let feeds = &context.services().chat.feeds;
        let after = crate::domain::Cursor::AfterSeq(behind.next - 1);
        let page = match feeds.page(&feed, after, PAGE).await {
            Ok(page) => page,
            Err(error) => {
                tracing::warn!(%error, "a slow reader's entries could not be read; trying again");
                tokio::time::sleep(RETRY).await;
                continue;
            }
        };
        if page.verdict != Verdict::Complete {
            // Some are past retention: its client must learn that, which it does by coming back.
            connection.doom(CloseReason::OverBudget);
            return;
        }
        if page.entries.is_empty() {
            // What was kept back is gone altogether.
            connection.forget_feed(&feed);
        }
        for entry in page.entries {
            match send(context, connection, &feed, &Arc::new(entry)) {
                Pushed::Queued => {}
                // The feed goes on live, or is read anew from where that ended.
                Pushed::Dropped => break,
                Pushed::KeptBack | Pushed::OverBudget => return,
            }
        }
    }
}

fn send(
    context: &Context,
    connection: &Arc<Connection>,
    feed: &FeedId,
    entry: &Arc<Entry>,
) -> Pushed {
    let session = &context.session;
    let is_its_own =
        matches!(feed, FeedId::Direct(..)) && entry.origin.as_ref() == Some(session.id());
    if is_its_own {
        return connection.catch_up(feed, entry.seq, None);
    }
    if connection.is_pressed() {
        return Pushed::KeptBack;
    }
    let mut pushed = Pushed::Queued;
    present(entry, |emit| {
        let packet = context.namespace().encode(&emit, None);
        pushed = connection.catch_up(feed, entry.seq, packet.as_ref());
    });
    metrics::counter!(
        crate::telemetry::metric::CAUGHT_UP,
        "class" => Class::Durable.as_str()
    )
    .increment(1);
    pushed
}
