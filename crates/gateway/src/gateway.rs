//! What the gateway's handlers share. Cheap to clone.

use std::{ops::Deref, sync::Arc};

use axum::extract::FromRef;
use doran_contract::subject;
use doran_platform::{
    Platform, directory::Rooms, presence::Presences, redis::Redis, ws_ticket::WsTickets,
};

use crate::{
    StartError, Timing, Upstreams,
    front_door::{Origins, Services, TrustedProxies},
    limits::Limits,
    live::{
        Contact, Hubs, Log, Pulse, follow_bots, follow_notices, follow_presence, follow_removals,
        follow_rooms, keep_presence, tell_of_unread, unread_changes,
    },
    socket::{ReadMarkers, Sockets, guard},
};

#[derive(Clone)]
pub(crate) struct Gateway(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) platform: Platform,
    pub(crate) rooms: Rooms,
    pub(crate) services: Services,
    pub(crate) redis: Redis,
    pub(crate) limits: Limits,
    pub(crate) presences: Presences,
    pub(crate) origins: Origins,
    pub(crate) proxies: TrustedProxies,
    pub(crate) hubs: Hubs,
    pub(crate) sockets: Sockets,
    pub(crate) contact: Contact,
    pub(crate) read_markers: ReadMarkers,
    pub(crate) tickets: WsTickets,
    pub(crate) timing: Timing,
}

impl Deref for Gateway {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl FromRef<Gateway> for Platform {
    fn from_ref(gateway: &Gateway) -> Self {
        gateway.platform.clone()
    }
}

impl Gateway {
    pub(crate) async fn start(
        platform: &Platform,
        upstreams: Upstreams,
        own_origins: Vec<String>,
        timing: Timing,
    ) -> Result<Self, StartError> {
        // Shown as 0 before the first one comes.
        metrics::gauge!("gateway_sockets").set(0.0);
        let rooms = platform.rooms().await?.clone();
        let log = Log::new(platform.js.clone());
        let redis = Redis::start(
            &platform.config.redis_url,
            timing.redis,
            &platform.lifecycle,
        )
        .await?;
        let pulse = Pulse::start(&platform.nats, &log, &platform.lifecycle).await?;
        let gateway = Self(Arc::new(Shared {
            services: Services::new(upstreams),
            limits: Limits::new(&platform.config, redis.clone()),
            presences: Presences::new(redis.clone()),
            redis,
            origins: Origins::new(&platform.config, own_origins),
            proxies: TrustedProxies::new(platform.config.trusted_proxies.clone()),
            hubs: Hubs::new(platform, &rooms, log, pulse.clone(), timing),
            sockets: Sockets::default(),
            contact: Contact::new(platform, &rooms),
            read_markers: ReadMarkers::default(),
            tickets: WsTickets::open(&platform.js, &platform.master_key, &platform.clock).await?,
            platform: platform.clone(),
            rooms,
            timing,
        }));
        let unread = unread_changes(&platform.nats).await?;
        let presence = platform.nats.subscribe(subject::EVERY_PRESENCE).await?;
        let deltas = platform.nats.subscribe(subject::EVERY_BOT_DELTA).await?;
        let notices = platform.nats.subscribe(subject::NOTICE).await?;
        let lifecycle = &platform.lifecycle;
        lifecycle.spawn(guard::watch(gateway.clone()));
        lifecycle.spawn(follow_removals(gateway.clone()));
        lifecycle.spawn(follow_rooms(gateway.clone()));
        lifecycle.spawn(follow_bots(gateway.clone(), deltas));
        lifecycle.spawn(follow_notices(gateway.clone(), notices));
        lifecycle.spawn(keep_presence(gateway.clone()));
        lifecycle.spawn(follow_presence(gateway.clone(), presence));
        lifecycle.spawn(tell_of_unread(gateway.clone(), unread));
        lifecycle.spawn(gateway.hubs.clone().end_with_the_log(pulse));
        Ok(gateway)
    }
}
