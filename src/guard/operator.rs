//! Endpoints that the operator configured: trusted, yet of one plain form.

use std::net::IpAddr;

use url::{Host, Url};

/// A URL from the configuration (`DOH_URL`, `RDAP_URL` ...): https, or http on
/// a loopback address. It never comes from a caller and is no [`PublicUrl`].
///
/// [`PublicUrl`]: super::PublicUrl
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorUrl(Url);

impl OperatorUrl {
    /// Checks a configured URL; the error is a sentence for the operator that
    /// does not repeat the value, which may hold a secret.
    pub fn parse(value: &str) -> Result<Self, String> {
        let url = Url::parse(value).map_err(|error| format!("is not a URL: {error}"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not carry a user name or password".into());
        }
        if url.fragment().is_some() {
            return Err("must not carry a fragment".into());
        }
        match url.scheme() {
            "https" => Ok(OperatorUrl(url)),
            "http" if is_loopback(&url) => Ok(OperatorUrl(url)),
            _ => Err("must be https, or http on a loopback address".into()),
        }
    }

    /// The whole URL.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Its host as it stands in the URL.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_is_taken_anywhere() {
        let url = OperatorUrl::parse("https://cloudflare-dns.com/dns-query").unwrap();
        assert_eq!(url.as_str(), "https://cloudflare-dns.com/dns-query");
        assert_eq!(url.host(), "cloudflare-dns.com");
    }

    #[test]
    fn http_is_taken_on_loopback_only() {
        for good in [
            "http://127.0.0.1:8053/dns-query",
            "http://[::1]:8053/dns-query",
            "http://localhost:8053/",
        ] {
            assert!(OperatorUrl::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://dns.example/dns-query",
            "http://10.0.0.1/",
            "http://127.0.0.1.example/",
            "ftp://127.0.0.1/",
            "dns-query",
            "",
        ] {
            assert!(OperatorUrl::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_in_the_value_is_refused_and_not_repeated() {
        let error = OperatorUrl::parse("https://user:hunter2@dns.example/").unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
        let error = OperatorUrl::parse("https://dns.example:hunter2/").unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
