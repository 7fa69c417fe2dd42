//! Where Redis is and how to talk to it: the connection that the application configured, as its client gem understood
//! it (`Footplate::Server::RedisSettings`). No URL is parsed here, so the two cannot understand one differently.
//! Reading and checking only; `store` connects.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

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

/// The user that a password belongs to when none is named.
pub(crate) const DEFAULT_USER: &str = "default";

/// The settings of a connection.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "an object")]
pub struct RedisSettings {
    /// Host name or address; 127.0.0.1 by default.
    pub host: Option<String>,
    /// TCP port; 6379 by default.
    pub port: Option<u16>,
    /// Path of a unix socket; excludes `host`.
    pub path: Option<PathBuf>,
    /// Number of the database.
    pub db: i64,
    /// User in Redis's ACL.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    /// If the server does not take user and password, send the password alone, as the redis gem 4 does.
    pub password_alone: bool,
    /// If present, TLS is used.
    pub tls: Option<TlsSettings>,
    /// Sentinels to ask for the master's address.
    pub sentinels: Vec<SentinelSettings>,
    /// The master's name, as the sentinels know it.
    pub name: Option<String>,
    /// Seconds to wait for a connection; 2 by default.
    pub connect_timeout: Option<f64>,
    /// Seconds to wait for a reply; 5 by default.
    pub response_timeout: Option<f64>,
    /// What `CLIENT LIST` shows; `footplate` by default.
    pub client_name: Option<String>,
    /// `redis-namespace` of Sidekiq 6: put before every key, with a colon.
    pub namespace: Option<String>,
}

/// TLS settings. All optional: by default, the certificate is verified against the system's authorities.
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
    /// Port; 26379 by default.
    #[serde(default = "sentinel_port")]
    pub port: u16,
    /// User, for a sentinel that requires one.
    #[serde(default)]
    pub username: Option<String>,
    /// Password, for a sentinel that requires one.
    #[serde(default)]
    pub password: Option<Secret>,
    /// `false`: without TLS, even if the server uses it.
    #[serde(default)]
    pub tls: Option<bool>,
}

fn sentinel_port() -> u16 {
    26_379
}

/// What is wrong with the settings, and in which field.
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
        if !self.sentinels.is_empty() && self.name.is_none() {
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
        let db = self.db;
        if let Some(name) = self.master() {
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
        let scheme = if self.tls.is_some() {
            "rediss"
        } else {
            "redis"
        };
        let (host, port) = self.place();
        if host.contains(':') {
            return write!(f, "{scheme}://[{host}]:{port}/{db}");
        }
        write!(f, "{scheme}://{host}:{port}/{db}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_secrets() {
        for (json, text) in [
            ("{}", "redis://127.0.0.1:6379/0"),
            (r#"{"host":"","db":2}"#, "redis://127.0.0.1:6379/2"),
            (
                r#"{"host":"0.0.0.0","port":7000}"#,
                "redis://127.0.0.1:7000/0",
            ),
            (
                r#"{"host":"::1","port":7000,"db":1}"#,
                "redis://[::1]:7000/1",
            ),
            (
                r#"{"host":"a.example","tls":{},"username":"u","password":"secret"}"#,
                "rediss://a.example:6379/0",
            ),
            (
                r#"{"path":"/run/redis.sock","db":4,"password":"secret"}"#,
                "unix:/run/redis.sock (database 4)",
            ),
            (
                r#"{"name":"main","sentinels":[{"host":"a","port":1,"password":"secret"},{"host":"b"}]}"#,
                "master main of the sentinels a:1,b:26379 (database 0)",
            ),
        ] {
            let settings = RedisSettings::from_json(json).expect(json);
            assert_eq!(settings.to_string(), text);
            assert!(!format!("{settings:?}").contains("secret"));
        }
    }

    #[test]
    fn a_user_is_one_with_a_password() {
        let user = |json| {
            let settings = RedisSettings::from_json(json).expect(json);
            let info = settings.server(None).expect("an address");
            let user = info.redis_settings().clone();
            (
                user.username().map(str::to_owned),
                user.password().map(str::to_owned),
                user.db(),
            )
        };
        let text = |it: &str| Some(it.to_owned());
        assert_eq!(
            user(r#"{"username":"u","password":"p","db":3}"#),
            (text("u"), text("p"), 3)
        );
        assert_eq!(user(r#"{"password":"p"}"#), (None, text("p"), 0));
        assert_eq!(user(r#"{"username":"u"}"#), (None, None, 0));
    }

    #[test]
    fn an_error_names_its_field() {
        for (json, field) in [
            (r#"{"url":"redis://x"}"#, "url"),
            (r#"{"port":65536}"#, "port"),
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
