//! One order for everybody.

use futures_util::future::join_all;
use serde_json::json;

use super::support::{Client, TestApp};

async fn seqs(client: &mut Client, count: usize) -> Vec<(u64, String)> {
    let mut heard = Vec::new();
    for _ in 0..count {
        let message = client.expect("message:new").await;
        let content = message["content"].as_str().unwrap().to_owned();
        heard.push((message["seq"].as_u64().unwrap(), content));
    }
    heard
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_of_five_hundred_arrives_in_order_at_a_hundred_members() {
    let app = TestApp::start().await;
    let mut members = Vec::new();
    for number in 0..100 {
        members.push(app.joined(&format!("m{number}"), "lobby").await);
    }
    let mut alice = app.joined("alice", "lobby").await;
    let mut asked = Vec::new();
    for number in 0..500 {
        let draft = json!({ "roomId": "lobby", "content": number.to_string() });
        asked.push(alice.ask("message:send", &[draft]).await);
    }
    for (at, id) in asked.into_iter().enumerate() {
        assert_eq!(alice.ack(id).await["message"]["seq"], at + 1);
    }
    let expected: Vec<_> = (0..500).map(|n| (n + 1, n.to_string())).collect();
    let heard = join_all(members.iter_mut().map(|member| seqs(member, 500))).await;
    assert!(heard.iter().all(|heard| *heard == expected));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_senders_at_once_are_heard_in_one_order() {
    let app = TestApp::start().await;
    let mut senders = Vec::new();
    for number in 0..200 {
        senders.push(app.joined(&format!("s{number}"), "lobby").await);
    }
    join_all(
        senders
            .iter_mut()
            .enumerate()
            .map(|(number, sender)| async move {
                let draft = json!({ "roomId": "lobby", "content": number.to_string() });
                sender.ask("message:send", &[draft]).await
            }),
    )
    .await;
    let heard = join_all(senders.iter_mut().map(|sender| seqs(sender, 200))).await;
    let order: Vec<u64> = heard[0].iter().map(|(seq, _)| *seq).collect();
    assert_eq!(order, (1..=200).collect::<Vec<_>>());
    assert!(heard.iter().all(|other| *other == heard[0]));
}
