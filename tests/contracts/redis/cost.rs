//! What an arrival and a join cost: `cargo test --release --test contracts cost -- --ignored --nocapture`.

use std::time::Instant;

use roomcast::ports::Occupancy;

use super::node::{Node, lobby};
use crate::{
    backend::user,
    redis_server::{RedisServer, prefix},
};

const TIMES: u32 = 5_000;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it measures"]
async fn cost_of_arrivals_and_joins() {
    let a = Node::start(RedisServer::shared(), &prefix(), "a").await;
    let names: Vec<_> = (0..TIMES).map(|number| format!("user {number}")).collect();
    let began = Instant::now();
    for name in &names {
        a.arrives(name, name).await;
    }
    println!("arrive, one after another: {:?}", began.elapsed() / TIMES);
    let began = Instant::now();
    for name in &names {
        a.presence
            .entered(&lobby(), &user(name), name)
            .await
            .unwrap();
    }
    println!("enter, one after another: {:?}", began.elapsed() / TIMES);
    let began = Instant::now();
    let leaving = names
        .iter()
        .map(|name| async { a.presence.left(&lobby(), &user(name)).await.unwrap() });
    futures_util::future::join_all(leaving).await;
    println!("leave, all at once: {:?}", began.elapsed() / TIMES);
    let began = Instant::now();
    let again = names.iter().map(|name| a.arrives(name, "again"));
    futures_util::future::join_all(again).await;
    println!("arrive, all at once: {:?}", began.elapsed() / TIMES);
    let began = Instant::now();
    for name in &names {
        a.presence_of(name).await;
    }
    println!("get, one after another: {:?}", began.elapsed() / TIMES);
}
