//! Counts on their way out of an object: gathered in `pending`, moved into
//! numbered batches in `outbox`, sent until acknowledged. Client objects send
//! to the tally's shards this way, and shards to the collector.

use serde::Deserialize;
use worker::{Env, Result, SqlStorage};

use super::{glue, host, sql};
use crate::pulse::{Batch, COLLECTOR, Counter, Deltas};

#[derive(Deserialize)]
struct Pending {
    day: String,
    tool: String,
    counter: String,
}

#[derive(Deserialize)]
struct Outgoing {
    number: u64,
    deltas: String,
    receiver: String,
}

/// Adds to what is pending; stored together with whatever else the caller
/// writes before it awaits.
pub fn gather(sql: &SqlStorage, added: &Deltas) -> Result<()> {
    let stored = pending(sql)?;
    let mut sums = Deltas::default();
    for (day, tool, counter) in added.iter() {
        sums.add(day, tool, counter);
        if let Some(before) = stored.get(day, tool) {
            sums.add(day, tool, before);
        }
    }
    for (day, tool, counter) in sums.iter() {
        sql::run(
            sql,
            "INSERT INTO pending (day, tool, counter) VALUES (?, ?, ?)
             ON CONFLICT (day, tool) DO UPDATE SET counter = excluded.counter",
            vec![
                day.into(),
                tool.into(),
                serde_json::to_string(counter)?.into(),
            ],
        )?;
    }
    Ok(())
}

/// What has been gathered and is in no batch yet.
pub fn pending(sql: &SqlStorage) -> Result<Deltas> {
    let rows: Vec<Pending> = sql::rows(sql, "SELECT day, tool, counter FROM pending", vec![])?;
    let mut deltas = Deltas::default();
    for row in rows {
        deltas.add(
            &row.day,
            &row.tool,
            &serde_json::from_str::<Counter>(&row.counter)?,
        );
    }
    Ok(deltas)
}

/// Whether nothing is pending and nothing under way.
pub fn is_empty(sql: &SqlStorage) -> Result<bool> {
    Ok(pending(sql)?.is_empty() && outbox(sql)?.is_empty())
}

/// Moves what is pending into a batch for `receiver`. Numbers are times, so
/// that an object which forgot all it knew still counts upwards.
pub fn pack(sql: &SqlStorage, receiver: &str) -> Result<()> {
    let deltas = pending(sql)?;
    if deltas.is_empty() {
        return Ok(());
    }
    let last = outbox(sql)?.last().map_or(0, |batch| batch.number);
    sql::run(
        sql,
        "INSERT INTO outbox (number, deltas, receiver) VALUES (?, ?, ?)",
        vec![
            sql::integer(host::now_ms().max(last + 1)),
            serde_json::to_string(&deltas)?.into(),
            receiver.into(),
        ],
    )?;
    sql::run(sql, "DELETE FROM pending", vec![])
}

fn outbox(sql: &SqlStorage) -> Result<Vec<Outgoing>> {
    sql::rows(
        sql,
        "SELECT number, deltas, receiver FROM outbox ORDER BY number",
        vec![],
    )
}

/// Sends every batch in order. One that is not acknowledged stays and is sent
/// again under the same number: a failed alarm is run again by the platform.
pub async fn forward(sql: &SqlStorage, env: &Env, sender: &str) -> Result<()> {
    for outgoing in outbox(sql)? {
        let batch = Batch {
            sender: sender.to_owned(),
            number: outgoing.number,
            deltas: serde_json::from_str(&outgoing.deltas)?,
        };
        send(env, &outgoing.receiver, &batch).await?;
        sql::run(
            sql,
            "DELETE FROM outbox WHERE number = ?",
            vec![sql::integer(outgoing.number)],
        )?;
    }
    Ok(())
}

async fn send(env: &Env, receiver: &str, batch: &Batch) -> Result<()> {
    let role = match receiver {
        COLLECTOR => "collect",
        _ => "shard",
    };
    let json = serde_json::to_string(batch)?;
    glue::post(
        env,
        "TALLY",
        receiver,
        &format!("https://tally/{role}"),
        &json,
    )
    .await
}
