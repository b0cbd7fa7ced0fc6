//! A Durable Object's SQLite: migrations, and the two shapes of query used.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use worker::{Result, SqlStorage, SqlStorageValue};

/// Applies the migrations that this database has not seen, in order.
///
/// Storage calls made without awaiting in between are committed together, so
/// a half-applied migration cannot be left behind.
pub fn migrate(sql: &SqlStorage, migrations: &[&str]) -> Result<()> {
    #[derive(Deserialize)]
    struct Row {
        applied: usize,
    }
    let query = "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY);\n\
        SELECT COUNT(*) AS applied FROM migration";
    let rows: Vec<Row> = rows(sql, query, vec![])?;
    let applied = rows.first().map_or(0, |row| row.applied);
    for (index, migration) in migrations.iter().enumerate().skip(applied) {
        // Bindings are the last statement's.
        let statements = format!("{migration}\nINSERT INTO migration (number) VALUES (?)");
        run(sql, &statements, vec![integer(index as u64 + 1)])?;
    }
    Ok(())
}

/// Runs a statement for its effect.
pub fn run(sql: &SqlStorage, statement: &str, bindings: Vec<SqlStorageValue>) -> Result<()> {
    sql.exec(statement, bindings).map(drop)
}

/// Runs a query for its rows.
pub fn rows<T: DeserializeOwned>(
    sql: &SqlStorage,
    query: &str,
    bindings: Vec<SqlStorageValue>,
) -> Result<Vec<T>> {
    sql.exec(query, bindings)?.to_array()
}

/// Binds a number. Times in milliseconds and microseconds stay below 2^53,
/// beyond which JavaScript would round.
pub fn integer(number: u64) -> SqlStorageValue {
    SqlStorageValue::from(i64::try_from(number).unwrap_or(i64::MAX))
}
