//! The packages for who will not build: what they hold, and that they work where nothing else is.

mod contents;
mod install;
mod tarball;
mod units;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::support::app::PROGRAM;
use crate::support::guard::Guard;
use crate::support::{repository, root, scratch, tool};

/// Both packages of the built program, made once by `package/build`.
struct Packages {
    tarball: PathBuf,
    deb: PathBuf,
    /// The folder that the tarball unpacks to.
    name: String,
    _guard: Guard,
}

impl Packages {
    fn shared() -> &'static Self {
        static PACKAGES: OnceLock<Packages> = OnceLock::new();
        PACKAGES.get_or_init(|| {
            let folder = scratch().keep();
            let guard = Guard::over_folder(&folder);
            build(&folder);
            let name = format!("bellwether-{}-{}-linux", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
            let architecture = tool::run("dpkg", Command::new("dpkg").arg("--print-architecture")).ok();
            let deb = format!("bellwether_{}_{}.deb", env!("CARGO_PKG_VERSION"), architecture.stdout.trim());
            Self {
                tarball: folder.join(format!("{name}.tar.gz")),
                deb: folder.join(deb),
                name,
                _guard: guard,
            }
        })
    }

    fn dpkg_deb(&self, verb: &str, rest: &[&str]) -> String {
        tool::run("dpkg", Command::new("dpkg-deb").arg(verb).arg(&self.deb).args(rest)).ok().stdout
    }

    /// Packages that the .deb depends on; of alternatives, the first.
    fn depends(&self) -> Vec<String> {
        let names = root::names(self.dpkg_deb("--field", &["Depends"]).trim());
        names.into_iter().filter_map(|alternatives| alternatives.into_iter().next()).collect()
    }
}

fn build(out: &Path) {
    let mut build = Command::new(repository("package/build"));
    tool::run("bash", build.args(["--quick", "--binary", PROGRAM, "--out"]).arg(out)).ok();
}
