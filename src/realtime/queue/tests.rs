//! What one socket's queue promises.

use tokio::sync::{mpsc, oneshot};

use super::*;

const LIMITS: QueueLimits = QueueLimits {
    events: 3,
    bytes: 100,
    in_flight: 2,
};

fn job(order: Order, work: impl Future<Output = ()> + Send + 'static) -> Job {
    Job::plain(order, 1, work)
}

/// A job whose work is done when it is released, and which says its name in the end.
fn ends(
    log: &mpsc::UnboundedSender<&'static str>,
    name: &'static str,
    released: oneshot::Receiver<()>,
) -> Job {
    let log = log.clone();
    let work = async move {
        released.await.unwrap();
        let end: Box<dyn FnOnce() + Send> = Box::new(move || log.send(name).unwrap());
        Some(end)
    };
    Job {
        order: Order::FirstPoll,
        bytes: 1,
        work: Box::pin(work),
    }
}

/// A queue whose jobs write their names, and the reading end.
fn queue() -> (
    Arc<EventQueue>,
    mpsc::UnboundedSender<&'static str>,
    mpsc::UnboundedReceiver<&'static str>,
) {
    let (log, read) = mpsc::unbounded_channel();
    (
        EventQueue::held(LIMITS, Box::new(|_| Poll::Ready(()))),
        log,
        read,
    )
}

fn says(log: &mpsc::UnboundedSender<&'static str>, name: &'static str) -> Job {
    let log = log.clone();
    job(Order::Serial, async move { log.send(name).unwrap() })
}

#[tokio::test]
async fn jobs_wait_until_the_queue_opens_and_run_in_order_behind_the_first() {
    let (queue, log, mut read) = queue();
    queue.push(says(&log, "one"));
    queue.push(says(&log, "two"));
    queue.open(says(&log, "first"));
    assert_eq!(read.recv().await, Some("first"));
    assert_eq!(read.recv().await, Some("one"));
    assert_eq!(read.recv().await, Some("two"));
    queue.push(says(&log, "later"));
    assert_eq!(read.recv().await, Some("later"));
}

#[tokio::test]
async fn a_serial_job_waits_for_those_under_way_and_they_overlap() {
    let (queue, log, mut read) = queue();
    let (release, released) = oneshot::channel::<()>();
    let sender = log.clone();
    queue.open(job(Order::FirstPoll, async move {
        released.await.unwrap();
        sender.send("slow").unwrap();
    }));
    let sender = log.clone();
    queue.push(job(Order::FirstPoll, async move {
        sender.send("beside").unwrap()
    }));
    queue.push(says(&log, "serial"));
    assert_eq!(read.recv().await, Some("beside"));
    release.send(()).unwrap();
    assert_eq!(read.recv().await, Some("slow"));
    assert_eq!(read.recv().await, Some("serial"));
}

#[tokio::test]
async fn jobs_end_in_their_order_whichever_is_done_first() {
    let (queue, log, mut read) = queue();
    let (release, released) = oneshot::channel();
    let (second, done) = oneshot::channel();
    second.send(()).unwrap();
    queue.open(ends(&log, "one", released));
    queue.push(ends(&log, "two", done));
    let sender = log.clone();
    let seen = job(Order::FirstPoll, async move {
        sender.send("both are under way").unwrap()
    });
    queue.push(seen);
    release.send(()).unwrap();
    let mut said = Vec::new();
    while said.len() < 3 {
        said.push(read.recv().await.unwrap());
    }
    said.retain(|name| *name != "both are under way");
    assert_eq!(said, ["one", "two"]);
}

#[tokio::test]
async fn jobs_are_done_in_place_until_one_has_to_wait() {
    let (queue, log, mut read) = queue();
    queue.open(says(&log, "first"));
    assert_eq!(read.recv().await, Some("first"));
    let runner = queue.push(says(&log, "in place"));
    runner.expect("the queue was idle").run_here();
    assert_eq!(read.try_recv(), Ok("in place"));
    let (release, released) = oneshot::channel::<()>();
    let sender = log.clone();
    let waits = job(Order::Serial, async move {
        released.await.unwrap();
        sender.send("waited").unwrap();
    });
    queue.push(waits).expect("the queue was idle").run_here();
    assert!(queue.push(says(&log, "behind")).is_none());
    assert!(read.try_recv().is_err());
    release.send(()).unwrap();
    assert_eq!(read.recv().await, Some("waited"));
    assert_eq!(read.recv().await, Some("behind"));
}

#[tokio::test]
async fn a_job_done_in_place_may_close_the_queue() {
    let (queue, log, mut read) = queue();
    queue.open(says(&log, "first"));
    assert_eq!(read.recv().await, Some("first"));
    let (closing, sender) = (queue.clone(), log.clone());
    let runner = queue.push(job(Order::Serial, async move {
        closing.close(Pending::Finished, says(&sender, "last"));
        sender.send("closed").unwrap();
    }));
    runner.expect("the queue was idle").run_here();
    assert_eq!(read.try_recv(), Ok("closed"));
    assert_eq!(read.try_recv(), Ok("last"));
    assert!(queue.push(says(&log, "too late")).is_none());
}

#[tokio::test]
async fn what_waits_for_a_commit_and_what_comes_behind_it_keep_their_order_in_a_task() {
    let (queue, log, mut read) = queue();
    queue.open(says(&log, "first"));
    assert_eq!(read.recv().await, Some("first"));
    let (release, released) = oneshot::channel();
    let runner = queue.push(ends(&log, "stored", released));
    runner.expect("the queue was idle").run_here();
    assert!(queue.push(says(&log, "behind")).is_none());
    tokio::task::yield_now().await;
    assert!(read.try_recv().is_err());
    release.send(()).unwrap();
    assert_eq!(read.recv().await, Some("stored"));
    assert_eq!(read.recv().await, Some("behind"));
}

#[tokio::test]
async fn a_full_queue_refuses_and_a_closed_one_runs_what_it_accepted() {
    let (queue, log, mut read) = queue();
    for name in ["one", "two", "three"] {
        queue.push(says(&log, name));
    }
    assert!(!queue.has_room(0));
    queue.open(says(&log, "first"));
    queue.close(Pending::Finished, says(&log, "last"));
    queue.push(says(&log, "too late"));
    drop(log);
    let mut said = Vec::new();
    while let Some(name) = read.recv().await {
        said.push(name);
    }
    assert_eq!(said, ["first", "one", "two", "three", "last"]);
}

#[tokio::test]
async fn an_untrusted_socket_s_waiting_jobs_are_dropped() {
    let (queue, log, mut read) = queue();
    queue.push(says(&log, "dropped"));
    queue.open(says(&log, "first"));
    queue.close(Pending::Dropped, says(&log, "last"));
    drop(log);
    assert_eq!(read.recv().await, Some("last"));
    assert_eq!(read.recv().await, None);
}
