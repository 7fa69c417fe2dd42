//! Reads replies. A reply of an unexpected shape is an error, never a panic.

use redis::Value;

use super::StoreError;

pub(super) fn integer(value: &Value) -> Result<i64, StoreError> {
    match value {
        Value::Int(number) => Ok(*number),
        Value::BulkString(bytes) => std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| StoreError::unexpected(value)),
        Value::Nil => Ok(0),
        other => Err(StoreError::unexpected(other)),
    }
}

pub(super) fn array(value: Value) -> Result<Vec<Value>, StoreError> {
    match value {
        Value::Array(items) | Value::Set(items) => Ok(items),
        Value::Nil => Ok(Vec::new()),
        other => Err(StoreError::unexpected(other)),
    }
}

pub(super) fn bytes(value: Value) -> Result<Vec<u8>, StoreError> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        Value::SimpleString(text) => Ok(text.into_bytes()),
        Value::Int(number) => Ok(number.to_string().into_bytes()),
        other => Err(StoreError::unexpected(other)),
    }
}

pub(super) fn text(value: Value) -> Result<String, StoreError> {
    Ok(String::from_utf8_lossy(&bytes(value)?).into_owned())
}

pub(super) fn texts(value: Value) -> Result<Vec<String>, StoreError> {
    array(value)?.into_iter().map(text).collect()
}

/// One flag per item that was asked for.
pub(super) fn flags(value: Value, count: usize) -> Result<Vec<bool>, StoreError> {
    let flags = array(value)?;
    if flags.len() != count {
        return Err(StoreError::unexpected(flags));
    }
    flags.iter().map(|flag| Ok(integer(flag)? == 1)).collect()
}

/// Cursor and members of a SCAN command.
pub(super) fn scan(value: Value) -> Result<(String, Vec<String>), StoreError> {
    let mut parts = array(value)?.into_iter();
    match (parts.next(), parts.next()) {
        (Some(cursor), Some(members)) => Ok((text(cursor)?, texts(members)?)),
        _ => Err(StoreError::Unexpected(
            "a SCAN reply without members".to_owned(),
        )),
    }
}
