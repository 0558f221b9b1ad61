//! The administrators' namespace.

use std::sync::Arc;

use crate::{
    admin::{Admin, AdminOptions, password_hash},
    config::{self, AdminMode},
    realtime::namespace::Hub,
    services::Services,
};

/// Where one is configured: it hears of other nodes by the services from now on.
pub(super) fn admin(
    config: &config::Admin,
    hub: &Arc<Hub>,
    services: &mut Services,
) -> Option<Admin> {
    if !config.enabled {
        return None;
    }
    let options = AdminOptions {
        username: config.username.clone(),
        password_hash: password_hash(&config.username, config.password.expose()),
        is_read_only: config.read_only,
        shows_sockets: config.mode == AdminMode::Development,
        server_id: config.server_id.clone(),
    };
    let (peers, servers) = (services.sessions.peers.clone(), services.servers.clone());
    let admin = Admin::new(options, hub.clone(), peers, servers);
    services.admins = Arc::new(admin.clone());
    Some(admin)
}
