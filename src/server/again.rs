//! A connection that wakes itself while it is polled, as HTTP/1's does when it hands a body to its own
//! request, is polled again at once: by way of the runtime, another of its threads would be woken for
//! it, which costs more than the request.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use futures::task::AtomicWaker;

/// How often in a row it is polled before others get their turn.
const MAX_POLLS: usize = 8;

/// Nobody polls it.
const WAITING: u8 = 0;
/// It is being polled.
const POLLED: u8 = 1;
/// It has woken itself meanwhile.
const RUNG: u8 = 2;

/// Polls a future as the module says.
pub struct Again<F> {
    inner: F,
    bell: Arc<Bell>,
    waker: Waker,
}

#[derive(Default)]
struct Bell {
    state: AtomicU8,
    outer: AtomicWaker,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.swap(RUNG, Ordering::AcqRel) == WAITING {
            self.outer.wake();
        }
    }
}

impl<F: Future + Unpin> Again<F> {
    /// Around a future.
    pub fn new(inner: F) -> Self {
        let bell = Arc::new(Bell::default());
        let waker = bell.clone().into();
        Self { inner, bell, waker }
    }
}

impl<F: Future + Unpin> Future for Again<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        this.bell.outer.register(context.waker());
        for _ in 0..MAX_POLLS {
            // What whoever rang before has done is seen by this poll.
            this.bell.state.swap(POLLED, Ordering::AcqRel);
            let polled = Pin::new(&mut this.inner).poll(&mut Context::from_waker(&this.waker));
            if polled.is_ready() {
                return polled;
            }
            let rests = this.bell.state.compare_exchange(
                POLLED,
                WAITING,
                Ordering::AcqRel,
                Ordering::Acquire,
            );
            if rests.is_ok() {
                return Poll::Pending;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, sync::atomic::AtomicUsize, thread};

    use futures::{FutureExt, future::pending, task::noop_waker_ref};

    use super::*;

    /// Counts how often it is woken.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn what_wakes_itself_goes_on_and_nobody_else_is_woken() {
        let mut left = 3;
        let steps = poll_fn(move |context: &mut Context<'_>| {
            if left == 0 {
                return Poll::Ready("done");
            }
            left -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        });
        let woken = Arc::new(Woken::default());
        let waker = woken.clone().into();
        let polled = Again::new(steps).poll_unpin(&mut Context::from_waker(&waker));
        assert_eq!(polled, Poll::Ready("done"));
        assert_eq!(woken.0.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn what_wakes_itself_for_ever_lets_others_have_their_turn() {
        let restless = poll_fn(|context: &mut Context<'_>| {
            context.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        let woken = Arc::new(Woken::default());
        let waker = woken.clone().into();
        let polled = Again::new(restless).poll_unpin(&mut Context::from_waker(&waker));
        assert_eq!(polled, Poll::Pending);
        assert_eq!(woken.0.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn what_others_wake_later_is_woken() {
        let (tells, told) = futures::channel::oneshot::channel();
        let mut again = Again::new(told);
        assert!(
            again
                .poll_unpin(&mut Context::from_waker(noop_waker_ref()))
                .is_pending()
        );
        let teller = thread::spawn(move || tells.send("late"));
        assert_eq!(again.await, Ok("late"));
        teller.join().unwrap().unwrap();
        assert!(Again::new(pending::<()>()).now_or_never().is_none());
    }
}
