//! JSON-RPC 2.0 as MCP uses it: what one message is, and how one answer is
//! written. Knows no HTTP and no revision.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::guard::text;
use crate::guard::text::json::quote;

/// JSON-RPC's own codes, and those that MCP 2026-07-28 adds.
pub(super) const PARSE_ERROR: i32 = -32700;
pub(super) const INVALID_REQUEST: i32 = -32600;
pub(super) const METHOD_NOT_FOUND: i32 = -32601;
pub(super) const INVALID_PARAMS: i32 = -32602;
pub(super) const HEADER_MISMATCH: i32 = -32020;
pub(super) const UNSUPPORTED_VERSION: i32 = -32022;

/// One message of a client.
#[derive(Debug)]
pub(super) enum Message {
    /// Wants an answer.
    Request(Request),
    /// Has no `id`: is accepted and dropped, whatever its method.
    Notification,
    /// Answers something we never asked.
    Response,
}

/// A message that wants an answer.
#[derive(Debug)]
pub(super) struct Request {
    /// Echoed in the answer.
    pub id: Id,
    /// Case-sensitive.
    pub method: String,
    /// As it came.
    pub params: Params,
}

/// A request's id as JSON text: a string or an integer, never null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Id(String);

impl Id {
    fn of(value: &Value) -> Option<Id> {
        match value {
            Value::String(_) => Some(Id(value.to_string())),
            Value::Number(number) if !number.is_f64() => Some(Id(value.to_string())),
            _ => None,
        }
    }

    /// The id as it stands in JSON.
    pub fn json(&self) -> &str {
        &self.0
    }
}

/// `params`, of which only objects have members.
#[derive(Debug)]
pub(super) enum Params {
    /// Not there, or null.
    Absent,
    /// The usual form.
    Members(Map<String, Value>),
    /// A list or a scalar: no method of MCP takes one.
    Other,
}

impl Params {
    /// A member that is there and not null: clients that write every optional
    /// member write null for the ones they leave out.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.member(name).filter(|value| !value.is_null())
    }

    /// A member of type string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.member(name).and_then(Value::as_str)
    }

    /// A member of `_meta`, null included.
    pub fn meta(&self, key: &str) -> Option<&Value> {
        self.member("_meta").and_then(|meta| meta.get(key))
    }

    /// Takes a member out, so that it need not be copied.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        match self {
            Params::Members(members) => members.remove(name).filter(|value| !value.is_null()),
            _ => None,
        }
    }

    fn member(&self, name: &str) -> Option<&Value> {
        match self {
            Params::Members(members) => members.get(name),
            _ => None,
        }
    }
}

impl Message {
    /// Reads one message. A fault names the id wherever that could be read.
    pub fn read(message: Value) -> Result<Message, (Option<Id>, Fault)> {
        let Value::Object(mut members) = message else {
            return Err((None, Fault::invalid_request("A message is a JSON object")));
        };
        let id = members.get("id").map(Id::of);
        let fault = |what| Err((id.clone().flatten(), Fault::invalid_request(what)));
        if members.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return fault("The member jsonrpc has to be \"2.0\"");
        }
        let method = match members.remove("method") {
            Some(Value::String(method)) => method,
            Some(_) => return fault("The member method has to be a string"),
            None if members.contains_key("result") || members.contains_key("error") => {
                return Ok(Message::Response);
            }
            None => return fault("The member method is missing"),
        };
        match id {
            None => Ok(Message::Notification),
            Some(None) => fault("The member id has to be a string or an integer"),
            Some(Some(id)) => Ok(Message::Request(Request {
                id,
                method,
                params: match members.remove("params") {
                    None | Some(Value::Null) => Params::Absent,
                    Some(Value::Object(params)) => Params::Members(params),
                    Some(_) => Params::Other,
                },
            })),
        }
    }
}

/// Why a message got no result.
#[derive(Debug)]
pub(super) struct Fault {
    /// The HTTP status in the modern era. The legacy era sends 200 wherever
    /// a request could be read, or its clients never see the code.
    pub status: u16,
    code: i32,
    message: Cow<'static, str>,
    /// JSON text.
    data: Option<String>,
}

impl Fault {
    /// A fault without `data`.
    pub fn new(status: u16, code: i32, message: impl Into<Cow<'static, str>>) -> Fault {
        Fault {
            status,
            code,
            message: message.into(),
            data: None,
        }
    }

    /// Not a JSON-RPC message (400).
    pub fn invalid_request(message: impl Into<Cow<'static, str>>) -> Fault {
        Fault::new(400, INVALID_REQUEST, message)
    }

    /// A method that is not served (404).
    pub fn unknown_method(method: &str) -> Fault {
        let method = text::clean(method, 60);
        Fault::new(
            404,
            METHOD_NOT_FOUND,
            format!("The method {method:?} is not served here"),
        )
    }

    /// Parameters that the protocol itself rules out (200: the message was
    /// understood, and clients read the code only then).
    pub fn invalid_params(message: impl Into<Cow<'static, str>>) -> Fault {
        Fault::new(200, INVALID_PARAMS, message)
    }

    /// Adds `data`, given as JSON text.
    pub fn with_data(mut self, json: String) -> Fault {
        self.data = Some(json);
        self
    }

    /// The whole answer. Where the id could not be read, `unread` stands for
    /// it: nothing, or the null that batches require.
    pub fn answer(&self, id: Option<&Id>, unread: Option<&str>) -> String {
        let mut out = String::with_capacity(192);
        out.push_str("{\"jsonrpc\":\"2.0\"");
        if let Some(id) = id.map(Id::json).or(unread) {
            out.push_str(",\"id\":");
            out.push_str(id);
        }
        out.push_str(",\"error\":{\"code\":");
        out.push_str(&self.code.to_string());
        out.push_str(",\"message\":");
        quote(&self.message, &mut out);
        if let Some(data) = &self.data {
            out.push_str(",\"data\":");
            out.push_str(data);
        }
        out.push_str("}}");
        out
    }
}

/// A successful answer around a result given as pieces of JSON text.
pub(super) fn success(id: &Id, result: &[&str]) -> String {
    let length: usize = result.iter().map(|piece| piece.len()).sum();
    let mut out = String::with_capacity(length + id.json().len() + 40);
    out.push_str("{\"jsonrpc\":\"2.0\",\"id\":");
    out.push_str(id.json());
    out.push_str(",\"result\":");
    result.iter().for_each(|piece| out.push_str(piece));
    out.push('}');
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn id_of(message: Value) -> Option<Id> {
        match Message::read(message) {
            Ok(Message::Request(request)) => Some(request.id),
            Ok(_) => None,
            Err((id, _)) => id,
        }
    }

    #[test]
    fn an_id_is_a_string_or_an_integer() {
        for id in [json!("a\"b"), json!(0), json!(-7), json!(u64::MAX)] {
            let read = id_of(json!({"jsonrpc": "2.0", "id": id, "method": "ping"})).unwrap();
            assert_eq!(read.json(), id.to_string());
        }
        for id in [json!(null), json!(1.5), json!(true), json!([1]), json!({})] {
            let message = json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
            assert!(matches!(Message::read(message), Err((None, _))), "{id}");
        }
    }

    #[test]
    fn a_fault_keeps_the_id_that_could_be_read() {
        let id = id_of(json!({"jsonrpc": "1.0", "id": 9, "method": "ping"})).unwrap();
        assert_eq!(id.json(), "9");
        let id = id_of(json!({"jsonrpc": "2.0", "id": "x", "method": 4})).unwrap();
        assert_eq!(id.json(), "\"x\"");
    }

    #[test]
    fn whatever_has_no_id_member_is_a_notification() {
        let message = json!({"jsonrpc": "2.0", "method": "tools/call"});
        assert!(matches!(Message::read(message), Ok(Message::Notification)));
    }

    #[test]
    fn a_fault_is_written_without_an_id_or_with_null_where_that_is_asked_for() {
        let fault = Fault::invalid_request("A \"message\"");
        assert_eq!(
            fault.answer(None, None),
            r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"A \"message\""}}"#
        );
        assert_eq!(
            fault.answer(None, Some("null")),
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"A \"message\""}}"#
        );
    }
}
