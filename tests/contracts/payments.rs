//! Payments: one outcome each, told once, kept over restarts.

use roomcast::domain::{Amount, Outcome, Payment, PaymentId, SocketId, Timestamp};

use crate::backend::{Durable, at, user};

/// All cases, for `run!`.
macro_rules! payments {
    ($backend:ty) => {
        run! { $backend, payments:
            a_payment_is_settled_once
            an_unknown_payment_is_absent_and_cannot_be_settled
            a_settled_payment_is_untold_until_somebody_has_heard_it
            what_is_untold_is_the_oldest_hundred_of_that_user_alone
            a_restart_keeps_payments_and_who_waits_for_them
        }
    };
}
pub(crate) use payments;

fn payment(payer: Option<&str>, created_at: Timestamp) -> Payment {
    Payment {
        id: PaymentId::generate(),
        amount: Amount::new(12.5).unwrap(),
        socket: SocketId::new("a-socket").unwrap(),
        user: payer.map(user),
        created_at,
        outcome: None,
    }
}

fn settled(payment: &Payment, outcome: Outcome) -> Payment {
    Payment {
        outcome: Some(outcome),
        ..payment.clone()
    }
}

pub async fn a_payment_is_settled_once(backend: impl Durable) {
    let payments = backend.payments();
    let new = payment(None, at(1));
    payments.create(new.clone()).await.unwrap();
    assert_eq!(payments.get(&new.id).await, Ok(Some(new.clone())));
    let failed = settled(&new, Outcome::Failed);
    assert_eq!(
        payments.settle(&new.id, Outcome::Failed).await,
        Ok(Some(failed.clone()))
    );
    assert_eq!(payments.settle(&new.id, Outcome::Succeeded).await, Ok(None));
    assert_eq!(payments.get(&new.id).await, Ok(Some(failed)));
}

pub async fn an_unknown_payment_is_absent_and_cannot_be_settled(backend: impl Durable) {
    let payments = backend.payments();
    let unknown = PaymentId::generate();
    assert_eq!(payments.get(&unknown).await, Ok(None));
    assert_eq!(
        payments.settle(&unknown, Outcome::Succeeded).await,
        Ok(None)
    );
    assert_eq!(payments.mark_told(&unknown, "a").await, Ok(false));
}

pub async fn a_settled_payment_is_untold_until_somebody_has_heard_it(backend: impl Durable) {
    let payments = backend.payments();
    let new = payment(Some("alice"), at(1));
    payments.create(new.clone()).await.unwrap();
    assert_eq!(payments.untold(&user("alice")).await, Ok(vec![]));
    payments.settle(&new.id, Outcome::Succeeded).await.unwrap();
    let done = settled(&new, Outcome::Succeeded);
    assert_eq!(payments.untold(&user("alice")).await, Ok(vec![done]));
    assert_eq!(payments.mark_told(&new.id, "a").await, Ok(true));
    assert_eq!(payments.mark_told(&new.id, "b").await, Ok(false));
    // Its answer may have been lost.
    assert_eq!(payments.mark_told(&new.id, "a").await, Ok(true));
    assert_eq!(payments.untold(&user("alice")).await, Ok(vec![]));
}

pub async fn what_is_untold_is_the_oldest_hundred_of_that_user_alone(backend: impl Durable) {
    let payments = backend.payments();
    for number in (0..101).rev() {
        let new = payment(Some("alice"), at(number));
        payments.create(new.clone()).await.unwrap();
        payments.settle(&new.id, Outcome::Succeeded).await.unwrap();
    }
    let untold = payments.untold(&user("alice")).await.unwrap();
    let times: Vec<_> = untold.iter().map(|payment| payment.created_at).collect();
    assert_eq!(times, (0..100).map(at).collect::<Vec<_>>());
    assert_eq!(payments.untold(&user("bob")).await, Ok(vec![]));
}

pub async fn a_restart_keeps_payments_and_who_waits_for_them(mut backend: impl Durable) {
    let (later, earlier, done) = (
        payment(Some("alice"), at(2)),
        payment(None, at(1)),
        payment(Some("bob"), at(0)),
    );
    for new in [&later, &earlier, &done] {
        backend.payments().create(new.clone()).await.unwrap();
    }
    backend
        .payments()
        .settle(&done.id, Outcome::Failed)
        .await
        .unwrap();
    backend.reopen().await;
    let payments = backend.payments();
    assert_eq!(payments.unsettled().await, Ok(vec![earlier, later]));
    assert_eq!(
        payments.untold(&user("bob")).await,
        Ok(vec![settled(&done, Outcome::Failed)])
    );
}
