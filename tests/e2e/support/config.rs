//! A configuration file for one test: everything local, on free ports.

use std::path::{Path, PathBuf};

use bellwether_warehouse::Location;
use toml::{Table, Value};

use super::free_port;
use super::gateway::{self, Gateway};

#[derive(Clone, Debug)]
pub struct Config {
    folder: PathBuf,
    /// Where the tables lie as files, whatever the program is told.
    warehouse: PathBuf,
    table: Table,
}

impl Config {
    /// Warehouse, spool and keys lie in `folder` under these names.
    pub fn new(folder: &Path) -> Self {
        let warehouse = folder.join("warehouse");
        let config = Self { folder: folder.to_owned(), warehouse, table: Table::new() };
        let text = |name: &str| folder.join(name).to_str().expect("folders are text").to_owned();
        config
            .set("warehouse.location", &text("warehouse"))
            .set("spool.folder", &text("spool"))
            .set("keys.path", &text("keys"))
            .set("web.listen", &format!("127.0.0.1:{}", free_port()))
            .set("intake.listen", &format!("127.0.0.1:{}", free_port()))
            .set("admin.listen", &format!("127.0.0.1:{}", free_port()))
    }

    /// Where this configuration and all that is local to it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn warehouse(&self) -> PathBuf {
        self.warehouse.clone()
    }

    /// Where the program is told that the tables lie.
    pub fn location(&self) -> &str {
        self.table["warehouse"]["location"].as_str().expect("a location")
    }

    /// The same for a test that writes there by itself.
    pub fn place(&self) -> Location {
        let location = Location::parse(self.location()).expect("a location");
        match self.table["warehouse"].get("s3") {
            Some(s3) => location.with_s3(s3.clone().try_into().expect("settings of a store")),
            None => location,
        }
    }

    /// The warehouse is a bucket of this name behind the gateway. Its objects are files too, so that tests read the
    /// same tables without the gateway.
    pub fn bucket(mut self, gateway: &Gateway, name: &str) -> Self {
        self.warehouse = gateway.make_bucket(name).join("w");
        let mut s3 = Table::new();
        s3.insert("endpoint".into(), gateway.url().into());
        s3.insert("access_key_id".into(), gateway::KEY.into());
        s3.insert("secret_file".into(), gateway.secret_file().to_str().expect("folders are text").into());
        s3.insert("allow_http".into(), true.into());
        self.set("warehouse.location", &format!("s3://{name}/w")).set("warehouse.s3", Value::Table(s3))
    }

    /// Another host's configuration over the warehouse and the secrets of `first`.
    pub fn beside(mut self, first: &Self) -> Self {
        self.warehouse.clone_from(&first.warehouse);
        for section in ["warehouse", "keys"] {
            self.table.insert(section.into(), first.table[section].clone());
        }
        self
    }

    /// Sets `section.key`.
    pub fn set(mut self, key: &str, value: impl Into<Setting>) -> Self {
        let (section, key) = key.split_once('.').expect("section.key");
        let at = self.table.entry(section).or_insert_with(|| Value::Table(Table::new()));
        at.as_table_mut().expect("a section").insert(key.to_owned(), value.into().0);
        self
    }

    /// Names go through as the log wrote them.
    pub fn without_catalogue(self) -> Self {
        self.set("catalogue.starter", false)
    }

    pub fn kafka(self, brokers: &str, topics: &[(&str, &str)]) -> Self {
        let topics = topics
            .iter()
            .map(|(name, format)| {
                let mut topic = Table::new();
                topic.insert("name".into(), (*name).into());
                topic.insert("format".into(), (*format).into());
                Value::Table(topic)
            })
            .collect::<Vec<_>>();
        let group =
            format!("e2e-{}", topics.iter().map(|t| t["name"].as_str().unwrap_or("")).collect::<String>());
        let brokers = Value::Array(vec![brokers.into()]);
        self.set("kafka.brokers", brokers)
            .set("kafka.group", group.as_str())
            .set("kafka.topics", Value::Array(topics))
    }

    /// `http://<listen address of the section><path>`.
    pub fn url(&self, section: &str, path: &str) -> String {
        format!("http://{}{path}", self.table[section]["listen"].as_str().expect("a listen address"))
    }

    /// Writes the file and returns its path.
    pub fn write(&self) -> String {
        let path = self.folder.join("bellwether.toml");
        std::fs::write(&path, self.table.to_string()).expect("write the configuration");
        path.to_str().expect("folders are text").to_owned()
    }
}

/// Values that a test sets.
pub struct Setting(Value);

impl From<&str> for Setting {
    fn from(value: &str) -> Self {
        Self(value.into())
    }
}
impl From<&String> for Setting {
    fn from(value: &String) -> Self {
        Self(value.as_str().into())
    }
}
impl From<i64> for Setting {
    fn from(value: i64) -> Self {
        Self(value.into())
    }
}
impl From<bool> for Setting {
    fn from(value: bool) -> Self {
        Self(value.into())
    }
}
impl From<Value> for Setting {
    fn from(value: Value) -> Self {
        Self(value)
    }
}
