//! Answers as messages: what a handler would have sent, to be looked at and changed before it goes.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use hickory_server::{
    net::{NetError, runtime::TokioTime},
    proto::{
        op::{Header, HeaderCounts, Message},
        rr::Record,
        serialize::binary::BinEncoder,
    },
    server::{Request, RequestHandler, ResponseHandler, ResponseInfo},
    zone_handler::{MessageResponse, MessageResponseBuilder},
};

/// A handler's answer to a request.
pub async fn capture(handler: &impl RequestHandler, request: &Request) -> Result<Message> {
    let slot = Slot::default();
    handler
        .handle_request::<_, TokioTime>(request, slot.clone())
        .await;
    let bytes = slot.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    Ok(Message::from_vec(&bytes.context("no answer was given")?)?)
}

/// Sends a message as the answer to a request.
pub async fn respond(
    request: &Request,
    message: &Message,
    mut response_handle: impl ResponseHandler,
) -> ResponseInfo {
    let builder = MessageResponseBuilder::new(&request.queries, message.edns.as_ref());
    let response = builder.build(
        message.metadata,
        &message.answers,
        &message.authorities,
        [],
        &message.additionals,
    );
    response_handle
        .send_response(response)
        .await
        .unwrap_or_else(|error| {
            eprintln!("the answer could not be sent: {error}");
            unsent(request)
        })
}

/// What a handler reports when it could send nothing.
pub fn unsent(request: &Request) -> ResponseInfo {
    Header {
        metadata: request.metadata,
        counts: HeaderCounts::default(),
    }
    .into()
}

/// Keeps the response's bytes instead of sending them.
#[derive(Clone, Default)]
struct Slot(Arc<Mutex<Option<Vec<u8>>>>);

#[async_trait::async_trait]
impl ResponseHandler for Slot {
    async fn send_response<'a>(
        &mut self,
        response: MessageResponse<
            '_,
            'a,
            impl Iterator<Item = &'a Record> + Send + 'a,
            impl Iterator<Item = &'a Record> + Send + 'a,
            impl Iterator<Item = &'a Record> + Send + 'a,
            impl Iterator<Item = &'a Record> + Send + 'a,
        >,
    ) -> Result<ResponseInfo, NetError> {
        let mut bytes = Vec::with_capacity(512);
        let mut encoder = BinEncoder::new(&mut bytes);
        encoder.set_max_size(u16::MAX);
        let info = response.destructive_emit(&mut encoder)?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(bytes);
        Ok(info)
    }
}
