//! Mail as the report's `probes.mail` member.

use serde_json::{Value, json};

use crate::guard::text::clean;
use crate::probe::mail::{Mail, Server, dkim, dmarc, sts};

/// Characters shown of one record.
const RECORD_LIMIT: usize = 1024;

/// Characters shown of one line of a policy, and lines of it.
const LINE_LIMIT: usize = 256;
const LINES_LIMIT: usize = 64;

/// Everything about the domain's mail.
pub(super) fn rendered(mail: &Mail) -> Value {
    members! {
        "servers": mail.servers.as_ref().map(|servers| servers.iter().map(server).collect::<Value>()),
        "spf": json!(mail.spf),
        "dmarc": mail.dmarc.as_ref().map(policy),
        "dkim": mail.dkim.as_ref().map(keys),
        "mtaSts": mail.sts.as_ref().map(strict),
        "tlsRpt": json!(mail.tls_rpt.as_deref()),
        "bimi": json!(mail.bimi.as_deref()),
    }
}

fn server(server: &Server) -> Value {
    let addresses = |exchange: &crate::probe::dns::Exchange| -> Vec<String> {
        exchange.addresses().map(|ip| ip.to_string()).collect()
    };
    json!({
        "name": clean(&server.name, 255),
        "v4": addresses(&server.v4),
        "v4Status": server.v4.status,
        "alias": server.v4.aliases().next().map(|target| clean(target, 255)),
        "v6": server.v6.as_deref().map(addresses),
        "tlsa": server.tlsa.as_deref(),
    })
}

fn policy(found: &dmarc::Found) -> Value {
    json!({
        "domain": found.domain,
        "record": clean(&found.text, RECORD_LIMIT),
        "effective": found.record.as_ref().and_then(|record| record.effective.as_ref()),
        "own": found.own,
        "climb": found.climb.iter().map(|exchange| json!({
            "name": exchange.name,
            "status": exchange.status,
        })).collect::<Vec<_>>(),
        "problems": found.problems.iter().map(|(code, message)| json!({
            "code": code,
            "message": clean(message, RECORD_LIMIT),
        })).collect::<Vec<_>>(),
        "receivers": found.receivers,
        "unknown": found.unsure,
    })
}

fn keys(keys: &dkim::Keys) -> Value {
    json!({
        "found": keys.found.iter().map(|key| json!({
            "selector": key.selector,
            "record": clean(&key.text, RECORD_LIMIT),
            "valid": key.record.as_ref().is_some_and(|record| record.valid),
            "revoked": key.record.as_ref().is_some_and(|record| record.revoked),
            "testing": key.record.as_ref().is_some_and(|record| record.testing),
            "key": key.record.as_ref().and_then(|record| record.key.as_ref()),
        })).collect::<Vec<_>>(),
        "tried": keys.tried,
        "noneAtAll": keys.none_at_all,
        "unknown": keys.unsure,
    })
}

fn strict(sts: &sts::Sts) -> Value {
    json!({
        "record": &*sts.record,
        "policy": sts.policy.as_ref().map(|policy| match policy {
            Ok(policy) => served(policy),
            Err(failure) => json!({ "failure": failure }),
        }),
    })
}

/// The policy line by line: its breaks are the owner's, not the report's.
fn served(policy: &sts::Policy) -> Value {
    let lines = policy.text.lines().map(|line| clean(line, LINE_LIMIT));
    json!({
        "status": policy.status,
        "contentType": clean(&policy.content_type, LINE_LIMIT),
        "lines": lines.take(LINES_LIMIT).collect::<Vec<_>>(),
        "untrusted": policy.untrusted,
    })
}
