//! A server with one event of one's own: `socket.emit("wave", { room: "lobby" }, (ack) => …)`.

use roomcast::{
    Context, Event, Namespace, Result, Server,
    config::{Config, Sources},
    domain::{Room, RoomId},
};

#[derive(serde::Deserialize)]
struct Wave {
    room: RoomId,
}

#[derive(serde::Serialize)]
struct Waved {
    from: String,
}

impl Event for Wave {
    const NAME: &'static str = "wave";
    type Reply = Waved;

    async fn handle(self, cx: Context) -> Result<Waved> {
        let from = cx.user()?.name.to_string();
        cx.emit(&Room::chat(&self.room), "waved", &from);
        Ok(Waved { from })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let env = Sources::environment();
    let config = Config::load(&Sources {
        env,
        ..Sources::default()
    })?;
    let listener =
        tokio::net::TcpListener::bind((config.server.host.as_str(), config.server.port)).await?;
    Server::new(config)
        .namespace(Namespace::new("/").on::<Wave>())
        .run(listener, std::future::pending())
        .await?;
    Ok(())
}
