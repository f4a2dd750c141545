//! Listening addresses, taken before anything is written so that an occupied port is told at once.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::net::TcpListener;

use super::{Role, Roles};
use crate::exit::usage;

impl Roles {
    pub async fn bind(&mut self, roles: &[Role]) -> anyhow::Result<()> {
        for &role in roles {
            let (key, listen) = match role {
                Role::Web => ("[web] `listen`", self.config.web.listen.clone()),
                Role::Intake => ("[intake] `listen`", self.config.intake.listen.clone()),
                Role::Admin => ("[admin] `listen`", self.config.admin.listen.clone()),
                Role::Ingest | Role::Jobs | Role::Maintain => continue,
            };
            let listener = TcpListener::bind(&listen).await.map_err(|error| {
                usage(format!("{key} = \"{listen}\": cannot listen there ({error}); stop what uses it or choose another port"))
            })?;
            self.addresses.insert(role, listener.local_addr()?);
            self.listeners.insert(role, listener);
        }
        Ok(())
    }

    pub fn address(&self, role: Role) -> anyhow::Result<SocketAddr> {
        self.addresses.get(&role).copied().with_context(|| format!("the {role} role does not listen"))
    }

    pub(super) fn listener(&mut self, role: Role) -> anyhow::Result<TcpListener> {
        self.listeners.remove(&role).with_context(|| format!("the {role} role has no listener"))
    }
}
