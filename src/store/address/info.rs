//! Translates the settings for redis-rs: addresses, users and certificates.

use std::path::PathBuf;

use redis::{
    ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo,
    TlsCertificates,
};

use super::{DEFAULT_USER, RedisSettings, Secret, SentinelSettings, SettingsError, TlsSettings};

impl RedisSettings {
    /// The address and the user of the server; with sentinels, of the master, at the address given by the caller. Reads
    /// the certificate files.
    pub(crate) fn server(
        &self,
        master: Option<(String, u16)>,
    ) -> Result<ConnectionInfo, SettingsError> {
        let address = match (master, &self.path) {
            (Some((host, port)), _) => ConnectionAddr::Tcp(host, port),
            (None, Some(path)) => ConnectionAddr::Unix(path.clone()),
            (None, None) => {
                let (host, port) = self.place();
                ConnectionAddr::Tcp(host.to_owned(), port)
            }
        };
        let user = user(self.username.as_ref(), self.password.as_ref()).set_db(self.db);
        match &self.tls {
            Some(tls) => with_tls(tls, address, user),
            None => without_tls(address, user),
        }
    }

    /// The address and the user of one sentinel. Sentinels use TLS when the server does, unless their settings forbid
    /// it.
    pub(crate) fn sentinel(
        &self,
        sentinel: &SentinelSettings,
    ) -> Result<ConnectionInfo, SettingsError> {
        let user = user(sentinel.username.as_ref(), sentinel.password.as_ref());
        let address = ConnectionAddr::Tcp(sentinel.host.clone(), sentinel.port);
        match self.tls.as_ref().filter(|_| sentinel.tls != Some(false)) {
            Some(tls) => with_tls(tls, address, user),
            None => without_tls(address, user),
        }
    }

    /// The master's name, if sentinels are to be asked.
    pub(crate) fn master(&self) -> Option<&str> {
        self.name.as_deref().filter(|_| !self.sentinels.is_empty())
    }

    /// The user of Redis's ACL.
    pub(crate) fn user_name(&self) -> String {
        let named = self.username.clone().filter(|_| self.password.is_some());
        named.unwrap_or_else(|| DEFAULT_USER.to_owned())
    }

    pub(super) fn place(&self) -> (&str, u16) {
        let host = match self.host.as_deref() {
            // Ruby's clients reach the local machine at these.
            None | Some("" | "0.0.0.0" | "::") => "127.0.0.1",
            Some(host) => host,
        };
        (host, self.port.unwrap_or(6379))
    }
}

fn without_tls(
    address: ConnectionAddr,
    user: RedisConnectionInfo,
) -> Result<ConnectionInfo, SettingsError> {
    let info = address.into_connection_info().map_err(address_error)?;
    Ok(info.set_redis_settings(user))
}

fn with_tls(
    tls: &TlsSettings,
    address: ConnectionAddr,
    user: RedisConnectionInfo,
) -> Result<ConnectionInfo, SettingsError> {
    let ConnectionAddr::Tcp(host, port) = address else {
        return Err(SettingsError::new("path", "TLS needs a host"));
    };
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
        insecure: tls.verify == Some(false),
        tls_params: None,
    };
    let info = address
        .into_connection_info()
        .map_err(address_error)?
        .set_redis_settings(user);
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

/// Ruby's clients ignore a user without a password.
fn user(name: Option<&String>, password: Option<&Secret>) -> RedisConnectionInfo {
    let user = RedisConnectionInfo::default();
    match (name, password) {
        (_, None) => user,
        (None, Some(password)) => user.set_password(&password.0),
        (Some(name), Some(password)) => user.set_username(name).set_password(&password.0),
    }
}

fn address_error(error: redis::RedisError) -> SettingsError {
    SettingsError::new("host", error.to_string())
}
