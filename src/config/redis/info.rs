//! What redis-rs is told: addresses, users and certificates out of the settings.

use std::path::PathBuf;

use redis::{
    ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo,
    TlsCertificates,
};

use super::{RedisSettings, Secret, SentinelSettings, SettingsError};

impl RedisSettings {
    /// The address and the user of the server; with sentinels, of the master whose address the
    /// caller puts in `host`. Reads the certificate files.
    pub(crate) fn server(
        &self,
        master: Option<(String, u16)>,
    ) -> Result<ConnectionInfo, SettingsError> {
        let info = self.base()?;
        let redis = self.user(info.redis_settings().clone());
        let (mut address, mut tls, mut verify) = match info.addr() {
            ConnectionAddr::TcpTls {
                host,
                port,
                insecure,
                ..
            } => (ConnectionAddr::Tcp(host.clone(), *port), true, !insecure),
            other => (other.clone(), false, true),
        };
        if let Some(path) = &self.path {
            address = ConnectionAddr::Unix(path.clone());
        }
        if let (ConnectionAddr::Tcp(host, port), None) = (&address, &master) {
            let host = self.host.clone().unwrap_or_else(|| host.clone());
            address = ConnectionAddr::Tcp(host, self.port.unwrap_or(*port));
        }
        if let Some((host, port)) = master {
            address = ConnectionAddr::Tcp(host, port);
        }
        if let Some(settings) = &self.tls {
            tls = true;
            verify = settings.verify.unwrap_or(verify);
        }
        if tls {
            return self.with_tls(address, redis, verify);
        }
        Ok(address
            .into_connection_info()
            .map_err(url_error)?
            .set_redis_settings(redis))
    }

    /// The address and the user of one sentinel. Sentinels speak TLS when the server does.
    pub(crate) fn sentinel(
        &self,
        sentinel: &SentinelSettings,
    ) -> Result<ConnectionInfo, SettingsError> {
        let mut user = RedisConnectionInfo::default();
        if let Some(name) = &sentinel.username {
            user = user.set_username(name);
        }
        if let Some(password) = &sentinel.password {
            user = user.set_password(&password.0);
        }
        let info = self.server(Some((sentinel.host.clone(), sentinel.port)))?;
        Ok(info.set_redis_settings(user))
    }

    /// The master's name, when sentinels are to be asked.
    pub(crate) fn master(&self) -> Result<Option<String>, SettingsError> {
        if self.sentinels.is_empty() {
            return Ok(None);
        }
        Ok(self.master_name(&self.base()?))
    }

    /// The user of Redis's ACL.
    pub(crate) fn user_name(&self) -> String {
        let of_url = self
            .base()
            .ok()
            .map(|it| self.user(it.redis_settings().clone()));
        let named = of_url.and_then(|it| it.username().map(str::to_owned));
        named.unwrap_or_else(|| "default".to_owned())
    }

    pub(super) fn master_name(&self, base: &ConnectionInfo) -> Option<String> {
        self.name.clone().or_else(|| match base.addr() {
            _ if self.url.is_none() => self.host.clone(),
            ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => {
                Some(host.clone())
            }
            _ => None,
        })
    }

    pub(super) fn base(&self) -> Result<ConnectionInfo, SettingsError> {
        let Some(Secret(url)) = &self.url else {
            return ("127.0.0.1", 6379)
                .into_connection_info()
                .map_err(url_error);
        };
        let Some(mut url) = redis::parse_redis_url(url) else {
            let problem = "is no redis://, rediss:// or unix:// URL; special characters of a password \
                           are written as %XX";
            return Err(SettingsError::new("url", problem));
        };
        // Both reach this machine for Ruby's clients; redis-rs refuses them.
        let here = matches!(url.host_str(), None | Some("" | "0.0.0.0" | "[::]"));
        if here && url.scheme().starts_with("redis") {
            let _ = url.set_host(Some("127.0.0.1"));
        }
        url.into_connection_info().map_err(url_error)
    }

    pub(super) fn user(&self, mut user: RedisConnectionInfo) -> RedisConnectionInfo {
        if let Some(name) = &self.username {
            user = user.set_username(name);
        }
        if let Some(password) = &self.password {
            user = user.set_password(&password.0);
        }
        let db = self.db.unwrap_or(user.db());
        user.set_db(db)
    }

    fn with_tls(
        &self,
        address: ConnectionAddr,
        redis: RedisConnectionInfo,
        verify: bool,
    ) -> Result<ConnectionInfo, SettingsError> {
        let ConnectionAddr::Tcp(host, port) = address else {
            return Err(SettingsError::new("path", "TLS needs a host"));
        };
        let tls = self.tls.clone().unwrap_or_default();
        let read = |field: &str, path: &PathBuf| {
            std::fs::read(path).map_err(|error| {
                let problem = format!("cannot read {}: {error}", path.display());
                SettingsError::new(format!("tls.{field}"), problem)
            })
        };
        let client_tls = match (&tls.cert_file, &tls.key_file) {
            (Some(cert), Some(key)) => Some(ClientTlsConfig {
                client_cert: read("cert_file", cert)?,
                client_key: read("key_file", key)?,
            }),
            _ => None,
        };
        let root_cert = tls
            .ca_file
            .as_ref()
            .map(|path| read("ca_file", path))
            .transpose()?;
        let address = ConnectionAddr::TcpTls {
            host,
            port,
            insecure: !verify,
            tls_params: None,
        };
        let info = address
            .into_connection_info()
            .map_err(url_error)?
            .set_redis_settings(redis);
        let client = redis::Client::build_with_tls(
            info,
            TlsCertificates {
                client_tls,
                root_cert,
            },
        )
        .map_err(|error| SettingsError::new("tls", error.to_string()))?;
        Ok(client.get_connection_info().clone())
    }
}

fn url_error(error: redis::RedisError) -> SettingsError {
    SettingsError::new("url", error.to_string())
}
