//! Where Redis is and how to talk to it: the connection that the application configured for
//! Sidekiq. Reading and checking only; `store` connects.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use redis::ConnectionAddr;
use serde::Deserialize;

mod info;

/// A password: never printed.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// A connection. `url` is read first; each other field that is set overrides that part of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "an object")]
pub struct RedisSettings {
    /// `redis://`, `rediss://` or `unix://`. With sentinels its host is the name of the master.
    pub url: Option<Secret>,
    /// Host name or address. 127.0.0.1 when nothing else is said.
    pub host: Option<String>,
    /// TCP port, 6379 when nothing else is said.
    pub port: Option<u16>,
    /// Path of a unix socket; excludes `host`.
    pub path: Option<PathBuf>,
    /// Number of the database.
    pub db: Option<i64>,
    /// User of Redis's ACL.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    /// Present: TLS, also without a `rediss://` URL.
    pub tls: Option<TlsSettings>,
    /// Sentinels to ask for the master's address.
    pub sentinels: Vec<SentinelSettings>,
    /// The master's name, as the sentinels know it.
    pub name: Option<String>,
    /// Seconds to wait for a connection, 2 when nothing is said.
    pub connect_timeout: Option<f64>,
    /// Seconds to wait for a reply, 5 when nothing is said.
    pub response_timeout: Option<f64>,
    /// What `CLIENT LIST` shows, `footplate` when nothing is said.
    pub client_name: Option<String>,
    /// `redis-namespace` of Sidekiq 6: put before every key, with a colon.
    pub namespace: Option<String>,
}

/// How TLS is spoken. All optional: the system's certificate authorities, verified.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "an object")]
pub struct TlsSettings {
    /// PEM file with the authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// PEM file with this client's certificate; needs `key_file`.
    pub cert_file: Option<PathBuf>,
    /// PEM file with its key.
    pub key_file: Option<PathBuf>,
    /// `false`: accept any certificate (OpenSSL's `VERIFY_NONE`).
    pub verify: Option<bool>,
}

/// One sentinel.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct SentinelSettings {
    /// Host name or address.
    pub host: String,
    /// 26379 when nothing is said.
    #[serde(default = "sentinel_port")]
    pub port: u16,
    /// User, for a sentinel that wants one.
    #[serde(default)]
    pub username: Option<String>,
    /// Password, for a sentinel that wants one.
    #[serde(default)]
    pub password: Option<Secret>,
}

fn sentinel_port() -> u16 {
    26_379
}

/// What is wrong with the settings, naming the field.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("redis.{field}: {problem}")]
pub struct SettingsError {
    /// Path of the field, such as `sentinels[0].port`.
    pub field: String,
    /// What to change.
    pub problem: String,
}

impl SettingsError {
    fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        let (field, problem) = (field.into(), problem.into());
        Self { field, problem }
    }
}

impl RedisSettings {
    /// Reads settings written as JSON, and checks them.
    pub fn from_json(json: &str) -> Result<Self, SettingsError> {
        let mut reader = serde_json::Deserializer::from_str(json);
        let settings: Self = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            // Without its position: the operator wrote YAML or Ruby, not this JSON.
            let text = error.inner().to_string();
            let text = text.split(" at line ").next().unwrap_or(&text).to_owned();
            SettingsError::new(error.path().to_string(), text)
        })?;
        settings.check()?;
        Ok(settings)
    }

    /// Settings for a URL.
    pub fn from_url(url: impl Into<String>) -> Result<Self, SettingsError> {
        let settings = Self {
            url: Some(Secret(url.into())),
            ..Self::default()
        };
        settings.check()?;
        Ok(settings)
    }

    /// Checks that the settings make sense together; reads no file.
    pub fn check(&self) -> Result<(), SettingsError> {
        if self.path.is_some() && (self.host.is_some() || self.tls.is_some()) {
            return Err(SettingsError::new(
                "path",
                "a unix socket excludes `host` and `tls`",
            ));
        }
        if let Some(tls) = &self.tls
            && tls.cert_file.is_some() != tls.key_file.is_some()
        {
            return Err(SettingsError::new(
                "tls",
                "`cert_file` and `key_file` go together",
            ));
        }
        for (field, value) in [
            ("connect_timeout", self.connect_timeout),
            ("response_timeout", self.response_timeout),
        ] {
            if value.is_some_and(|seconds| !(seconds > 0.0 && seconds < 86_400.0)) {
                return Err(SettingsError::new(
                    field,
                    "must be a number of seconds above 0",
                ));
            }
        }
        let base = self.base()?;
        if !self.sentinels.is_empty() && self.master_name(&base).is_none() {
            return Err(SettingsError::new(
                "name",
                "say which master the sentinels shall find",
            ));
        }
        Ok(())
    }

    /// How long to wait for a connection.
    pub fn connect_timeout(&self) -> Duration {
        Duration::from_secs_f64(self.connect_timeout.unwrap_or(2.0))
    }

    /// How long to wait for a reply.
    pub fn response_timeout(&self) -> Duration {
        Duration::from_secs_f64(self.response_timeout.unwrap_or(5.0))
    }

    /// What `CLIENT LIST` shows.
    pub fn client_name(&self) -> &str {
        self.client_name.as_deref().unwrap_or("footplate")
    }
}

/// The address without user and password, for logs and errors.
impl fmt::Display for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(base) = self.base() else {
            return f.write_str("a Redis URL that cannot be read");
        };
        let db = self.user(base.redis_settings().clone()).db();
        if let Some(name) = self.master_name(&base)
            && !self.sentinels.is_empty()
        {
            write!(f, "master {name} of the sentinels")?;
            for (index, sentinel) in self.sentinels.iter().enumerate() {
                let comma = if index == 0 { ' ' } else { ',' };
                write!(f, "{comma}{}:{}", sentinel.host, sentinel.port)?;
            }
            return write!(f, " (database {db})");
        }
        if let Some(path) = &self.path {
            return write!(f, "unix:{} (database {db})", path.display());
        }
        match base.addr() {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                let tls =
                    matches!(base.addr(), ConnectionAddr::TcpTls { .. }) || self.tls.is_some();
                let scheme = if tls { "rediss" } else { "redis" };
                let host = self.host.as_ref().unwrap_or(host);
                let port = self.port.unwrap_or(*port);
                if host.contains(':') {
                    return write!(f, "{scheme}://[{host}]:{port}/{db}");
                }
                write!(f, "{scheme}://{host}:{port}/{db}")
            }
            other => write!(f, "unix:{other} (database {db})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_override_the_url() {
        let settings = RedisSettings::from_json(
            r#"{"url":"redis://user:secret@example.test:7000/3","port":7001,"db":5}"#,
        )
        .expect("valid settings");
        assert_eq!(settings.to_string(), "redis://example.test:7001/5");
        let info = settings.server(None).expect("an address");
        assert_eq!(info.redis_settings().db(), 5);
        assert_eq!(info.redis_settings().password(), Some("secret"));
        assert!(!format!("{settings:?}").contains("secret"));
    }

    #[test]
    fn the_url_forms() {
        for (url, text) in [
            ("redis://localhost", "redis://localhost:6379/0"),
            ("rediss://localhost:7000/2", "rediss://localhost:7000/2"),
            ("redis://0.0.0.0:7000", "redis://127.0.0.1:7000/0"),
            ("redis:///5", "redis://127.0.0.1:6379/5"),
            ("redis://[::1]:7000/1", "redis://[::1]:7000/1"),
            (
                "redis://h:p%40ss@a.example:7000",
                "redis://a.example:7000/0",
            ),
            ("unix:/run/redis.sock", "unix:/run/redis.sock (database 0)"),
            (
                "unix:///run/redis.sock?db=4",
                "unix:/run/redis.sock (database 4)",
            ),
        ] {
            assert_eq!(RedisSettings::from_url(url).expect(url).to_string(), text);
        }
    }

    #[test]
    fn an_error_names_its_field() {
        for (json, field) in [
            (r#"{"url":"http://x"}"#, "url"),
            (
                r#"{"sentinels":[{"host":"a","port":"b"}]}"#,
                "sentinels[0].port",
            ),
            (r#"{"sentinels":[{"host":"a"}]}"#, "name"),
            (r#"{"tls":{"cert_file":"a"}}"#, "tls"),
            (r#"{"connect_timeout":0}"#, "connect_timeout"),
            (r#"{"tls":{"colour":1}}"#, "tls.colour"),
        ] {
            let error = RedisSettings::from_json(json).expect_err(json);
            assert_eq!(error.field, field, "{error}");
        }
    }
}
