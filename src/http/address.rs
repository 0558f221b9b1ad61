//! Where a request comes from: the connection's address, or what a trusted proxy says.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, Request},
    http::HeaderMap,
};
use ipnet::IpNet;

use crate::realtime::engine::ClientAddress;

/// What each proxy adds the address to that it was called from.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The networks of trusted proxies.
pub type Proxies = Arc<[IpNet]>;

/// Notes the client's address for whoever counts by it.
pub fn note(request: &mut Request, proxies: &Proxies) {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    if let Some(ConnectInfo(peer)) = peer {
        let address = client(peer.ip().to_canonical(), request.headers(), proxies);
        request.extensions_mut().insert(ClientAddress(address));
    }
}

/// The nearest address that is not a trusted proxy's. What lies beyond it anybody may have written.
fn client(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let is_proxy = |address: &IpAddr| proxies.iter().any(|network| network.contains(address));
    if !is_proxy(&peer) {
        return peer;
    }
    let forwarded = headers.get_all(FORWARDED_FOR).into_iter();
    // What cannot be read is no address.
    let texts: Vec<_> = forwarded
        .map(|value| value.to_str().unwrap_or("?"))
        .collect();
    let mut nearest = peer;
    for text in texts.iter().flat_map(|text| text.split(',')).rev() {
        let Ok(address) = text.trim().parse::<IpAddr>() else {
            return nearest;
        };
        nearest = address.to_canonical();
        if !is_proxy(&nearest) {
            return nearest;
        }
    }
    nearest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(peer: &str, forwarded: &[&str]) -> String {
        let proxies = ["10.0.0.0/8".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for text in forwarded {
            headers.append(FORWARDED_FOR, text.parse().unwrap());
        }
        client(peer.parse().unwrap(), &headers, &proxies).to_string()
    }

    #[test]
    fn a_proxy_is_believed_and_nobody_else() {
        assert_eq!(of("192.0.2.1", &["203.0.113.9"]), "192.0.2.1");
        assert_eq!(of("10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(of("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn what_a_client_writes_before_its_proxy_does_not_count() {
        assert_eq!(
            of("10.0.0.1", &["1.1.1.1, 203.0.113.9, 10.9.9.9"]),
            "203.0.113.9"
        );
        assert_eq!(of("10.0.0.1", &["1.1.1.1", "203.0.113.9"]), "203.0.113.9");
        assert_eq!(of("10.0.0.1", &["1.1.1.1, nonsense"]), "10.0.0.1");
    }
}
