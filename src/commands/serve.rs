//! `bellwether serve`: production, every role alone or together.

use crate::config::Config;
use crate::exit::usage;
use crate::roles::{Role, Roles};
use crate::shutdown;

/// Runs the service: intake, ingest, jobs, web and maintenance, each alone or together
///
/// The intake and the ingest of its spool share one host. Jobs, web and maintain may run anywhere that sees the
/// warehouse.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bellwether serve --config config/bellwether.toml\n  bellwether serve --config b.toml --roles intake,ingest\n  BELLWETHER__WEB__LISTEN=0.0.0.0:8080 bellwether serve --config b.toml --roles web"
)]
pub struct Args {
    /// Roles of this process
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Role::SERVED)]
    roles: Vec<Role>,
    /// The warehouse is a copy that takes the place of the one before: its spool goes here from now on
    #[arg(long)]
    adopt: bool,
    /// Address of the site; overrides `web.listen`
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
}

pub async fn run(args: Args, mut config: Config) -> anyhow::Result<()> {
    if let Some(listen) = args.listen {
        if listen.parse::<std::net::SocketAddr>().is_err() {
            return Err(usage(format!(
                "--listen `{listen}` must be an address and a port such as 0.0.0.0:8080"
            )));
        }
        config.web.listen = listen;
    }
    let mut chosen = args.roles;
    chosen.push(Role::Admin);
    chosen.sort_unstable();
    chosen.dedup();
    let shutdown = shutdown::on_signals()?;
    let mut roles = Roles::prepare(config, shutdown).await?;
    if args.adopt {
        roles.adopt();
    }
    roles.bind(&chosen).await?;
    roles.start(&chosen).await?;
    roles.follow_catalogue();
    for role in [Role::Web, Role::Intake, Role::Admin] {
        if let Ok(address) = roles.address(role) {
            println!("{role} is at http://{address}");
        }
    }
    roles.ended().await
}
