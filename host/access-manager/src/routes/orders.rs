//! Orders, and what they do to keys here. What they do to fragments is the fragment managers' business.

use super::{after, deny, limit, next};
use crate::{
    account::decode,
    answer::Answer,
    call::{Call, Json, Query},
    ceremony,
    failure::Failure,
    unit::Unit,
};
use axum::http::HeaderMap;
use symbolon_audit::{Event, Hash, Refused};
use symbolon_encoding::to_canonical;
use symbolon_protocol::{
    api::{Id, Order, OrderPage, PageQuery, Problem, SignedDocument, path},
    ceremony::Message,
};
use symbolon_trust::{Action, Seconds, Signed, VerifiedOrder, hash};

/// Orders, ascending.
#[utoipa::path(get, path = path::ORDERS, params(("account" = Id, Path), PageQuery),
    responses((status = 200, body = OrderPage), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(call: Call, Query(query): Query<PageQuery>) -> Result<Answer, Failure> {
    call.party().await?;
    let (limit, after) = (limit(query.limit)?, after(query.cursor.as_deref())?);
    let stored = call.account.documents.orders().iter().filter(|stored| stored.order.order().serial > after);
    let orders: Vec<Order> = stored
        .take(limit as usize)
        .map(|stored| Order {
            serial: stored.order.order().serial,
            received: stored.received.0,
            document: to_canonical(stored.order.signed()).into(),
        })
        .collect();
    let next = next(orders.len(), limit, orders.last().map(|order| order.serial));
    Ok(Answer::json(&OrderPage { orders, next }))
}

/// Takes an order, and passes it on in the ceremony log.
#[utoipa::path(post, path = path::ORDERS, params(("account" = Id, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = SignedDocument,
    responses((status = 204), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn add(
    call: Call,
    headers: HeaderMap,
    body: Json<SignedDocument>,
) -> Result<Answer, Failure> {
    let act = async |unit: &mut Unit| take(&call, unit, &body.body.document.0).await;
    call.once(&headers, body.request, Refused::Order, act).await
}

async fn take(call: &Call, unit: &mut Unit, document: &[u8]) -> Result<Answer, Failure> {
    let signed: Signed<symbolon_trust::Order> = decode(document)?;
    let held = unit.account.documents.orders().get(signed.body().serial);
    if held.is_some_and(|held| held.order.order() == signed.body()) {
        return Ok(Answer::empty()); // even if by now it could not be taken any more, or its signer was replaced
    }
    let order = verify(call, unit, signed)?;
    let received = crate::clock::wall();
    if unit.account.documents.with_order(order.clone(), received)?.is_none() {
        return Ok(Answer::empty());
    }
    let (serial, body) = (order.order().serial, order.order());
    unit.rows().put_order(serial, &to_canonical(order.signed()), received.0).await?;
    unit.reload().await?;
    unit.record(Event::OrderInstalled { serial, hash: Hash(hash(body)) }).await?;
    ceremony::append(unit, Message::Order(order.signed().clone()).to_bytes()).await?;
    act(unit, body).await?;
    Ok(Answer::empty())
}

/// An order about the clock's mark is judged by the bare clock: it is what helps where there is no trusted time.
fn verify(call: &Call, unit: &Unit, signed: Signed<symbolon_trust::Order>) -> Result<VerifiedOrder, Failure> {
    let root = unit.account.root();
    match signed.body().action {
        Action::LowerMark { .. } => Ok(VerifiedOrder::verify_lower_mark(signed, root, crate::clock::wall())?),
        _ => Ok(VerifiedOrder::verify(signed, root, call.now()?)?),
    }
}

async fn act(unit: &mut Unit, order: &symbolon_trust::Order) -> Result<(), Failure> {
    match &order.action {
        Action::Reshare { .. } => Ok(()),
        Action::Enable { .. } => deny::mark_keys(unit).await,
        Action::Destroy { .. } => schedule(unit, order.serial).await,
        Action::CancelDestruction { key, destroy_serial } => {
            Ok(unit.rows().cancel_destruction(key, *destroy_serial).await?)
        }
        Action::LowerMark { mark } => {
            unit.lower_mark(Seconds(mark.0));
            Ok(())
        }
    }
}

/// An order to destroy may come after the one that cancels it.
async fn schedule(unit: &mut Unit, serial: u64) -> Result<(), Failure> {
    let account = std::sync::Arc::clone(&unit.account);
    let mut destructions = account.documents.orders().destructions();
    let found = destructions.find(|destruction| destruction.serial == serial);
    let Some(found) = found.filter(|destruction| !destruction.cancelled) else { return Ok(()) };
    Ok(unit.rows().schedule_destruction(found.key, found.version, serial, found.due.0).await?)
}
