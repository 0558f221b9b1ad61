//! Packets as the published packages write them, and what is read of them.

use super::*;
use crate::domain::Room;

const HELLO: &str = "93a7656d697474657283a47479706502a46461746192a568656c6c6fa5776f726c64a36e7370a12f83\
                     a5726f6f6d7390a5666c61677380a665786365707490";

fn hello() -> Vec<u8> {
    hex::decode(HELLO.replace(char::is_whitespace, "")).unwrap()
}

#[test]
fn a_packet_of_the_emitter_is_read() {
    let bytes = hello();
    assert_eq!(sender(&bytes), Some("emitter"));
    let heard = read_broadcast(&value::read(&bytes, 1_000).unwrap(), "/").unwrap();
    let Request::Emit {
        event,
        to,
        volatile,
    } = heard.request
    else {
        panic!("{heard:?}");
    };
    assert_eq!(event.name, "hello");
    assert_eq!(event.args.0, [Value::from("world")]);
    assert_eq!((to, volatile), (Whom::default(), false));
}

#[test]
fn a_packet_of_the_emitter_for_python_is_read() {
    // socket.io-emitter 0.1.5.1: for everybody in `/`, and for two rooms in `/x`.
    let all = "93a7656d697474657283a46461746193a568656c6c6fa5776f726c6481a16e01a47479706502a36e7370a12f\
               82a5666c616773a0a5726f6f6d73a0";
    let two = "93a7656d697474657283a46461746191a26869a47479706502a36e7370a22f7882a5666c616773a0a5726f6f\
               6d7392a161a162";
    for (hex, namespace, rooms) in [(all, "/", vec![]), (two, "/x", vec!["a", "b"])] {
        let bytes = hex::decode(hex).unwrap();
        let heard = read_broadcast(&value::read(&bytes, 1_000).unwrap(), namespace).unwrap();
        let Request::Emit { to, volatile, .. } = heard.request else {
            panic!("{heard:?}");
        };
        let named: Vec<_> = to.rooms.iter().map(Room::as_str).collect();
        assert_eq!((named, volatile), (rooms, false));
    }
}

#[test]
fn a_packet_of_another_namespace_is_none_of_this_one() {
    let value = value::read(&hello(), 1_000).unwrap();
    assert_eq!(read_broadcast(&value, "/game"), Err(Unfit::Namespace));
}

#[test]
fn the_emitters_requests_say_no_sender() {
    let json = br#"{"type":2,"opts":{"rooms":["a",7],"except":["b"]},"rooms":["c"]}"#;
    let heard = read_request(&value::read(json, 1_000).unwrap(), "/").unwrap();
    let to = Whom {
        rooms: vec![Room::named("a"), Room::named("7")],
        except: vec![Room::named("b")],
    };
    let rooms = vec![Room::named("c")];
    let request = Request::Join { to, rooms };
    assert_eq!(
        (heard.from, heard.id, heard.request),
        (String::new(), None, request)
    );
}

#[test]
fn a_request_is_read_as_it_was_written() {
    let to = Whom::room(Room::named("a"));
    let event = Event {
        name: "hey".into(),
        args: crate::domain::Args(vec![1.into(), Value::Binary(vec![2])]),
    };
    let within = Duration::from_millis(700);
    let rooms = vec![Room::named("b")];
    for request_is in [
        Request::Ask {
            event: event.clone(),
            to: to.clone(),
            within,
        },
        Request::Join {
            to: to.clone(),
            rooms: rooms.clone(),
        },
        Request::Leave {
            to: to.clone(),
            rooms,
        },
        Request::Disconnect {
            to: to.clone(),
            close: true,
        },
        Request::Fetch { to: to.clone() },
        Request::Ids { to },
        Request::Rooms,
        Request::ServerSide { event },
    ] {
        let heard = Heard {
            from: "me".into(),
            id: Some("1".into()),
            request: request_is,
        };
        let bytes = value::write(&request(&heard, "/x"));
        assert_eq!(
            read_request(&value::read(&bytes, 1_000).unwrap(), "/x"),
            Ok(heard)
        );
    }
}

#[test]
fn an_answer_is_read_as_it_was_written() {
    for one in [
        Answer::Sockets(vec![map([("id", "s".into())])]),
        Answer::Rooms(vec!["a".into()]),
        Answer::ServerSide(Value::Nil),
        Answer::Clients(3),
        Answer::Ack(Value::Binary(vec![1])),
    ] {
        let bytes = value::write(&answer("7", one.clone()));
        assert_eq!(
            read_answer(&value::read(&bytes, 1_000).unwrap()),
            Ok(("7".into(), one))
        );
    }
}

#[test]
fn what_nobody_knows_is_said_to_be_unknown() {
    let unknown = map([("type", 12.into())]);
    assert_eq!(read_request(&unknown, "/"), Err(Unfit::Unknown));
    assert_eq!(read_request(&map([]), "/"), Err(Unfit::Malformed));
    let empty = map([("type", 6.into()), ("data", Value::Array(Vec::new()))]);
    assert_eq!(read_request(&empty, "/"), Err(Unfit::Malformed));
}
