//! The last known stock of products.

use roomcast::{domain::ProductId, ports::Stock};
use serde_json::Number;

use crate::backend::Durable;

/// All cases, for `run!`.
macro_rules! stock {
    ($backend:ty) => {
        run! { $backend, stock:
            the_newest_stock_replaces_the_one_before
            any_json_number_comes_back_as_it_was_and_stays_over_a_restart
        }
    };
}
pub(crate) use stock;

fn product(id: &str) -> ProductId {
    ProductId::new(id).unwrap()
}

pub async fn the_newest_stock_replaces_the_one_before(backend: impl Durable) {
    let stock = backend.stock();
    assert_eq!(stock.get(&product("7")).await, Ok(None));
    let first = stock.put(&product("7"), Number::from(3)).await.unwrap();
    let second = stock.put(&product("7"), Number::from(0)).await.unwrap();
    // Where there are numbers, they rise.
    assert_eq!(first.is_some(), second.is_some());
    assert!(first.is_none() || first < second);
    let (inventory, number) = (Number::from(0), second);
    let newest = Stock { inventory, number };
    assert_eq!(stock.get(&product("7")).await, Ok(Some(newest)));
    assert_eq!(stock.get(&product("8")).await, Ok(None));
}

pub async fn any_json_number_comes_back_as_it_was_and_stays_over_a_restart(
    mut backend: impl Durable,
) {
    let numbers = [
        Number::from(u64::MAX),
        Number::from(i64::MIN),
        Number::from_f64(2.5).unwrap(),
    ];
    for (id, number) in ["a", "b", "c"].into_iter().zip(&numbers) {
        backend
            .stock()
            .put(&product(id), number.clone())
            .await
            .unwrap();
    }
    backend.reopen().await;
    for (id, number) in ["a", "b", "c"].into_iter().zip(numbers) {
        let stock = backend.stock().get(&product(id)).await.unwrap();
        assert_eq!(stock.unwrap().inventory, number);
    }
}
