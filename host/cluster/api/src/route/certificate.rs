//! Requests about certificates.

use std::time::SystemTime;

use certificate::CertificateError;
use hyper::StatusCode;
use model::path::is_name;
use protocol::daemon::CertificateRequest;
use protocol::{FailureKind, RequestFailure};

use crate::access::CertificateDesk;
use crate::reply::{self, Reply};
use crate::route::ApiRequest;
use crate::route::node::done;
use crate::route::request::{beside, invalid};

pub(super) async fn list(request: &ApiRequest) -> Reply {
    reply::json(StatusCode::OK, &at_desk(request, CertificateDesk::list).await?)
}

pub(super) async fn sign(request: &ApiRequest) -> Reply {
    let wanted: CertificateRequest = request.document()?;
    if !is_name(&wanted.user) || wanted.user == "root" {
        return Err(invalid(format!("{:?} is not the name of a user", wanted.user)));
    }
    let source = request.access.source.clone();
    let user = wanted.user.clone();
    let known = beside(move || source.user(&user).map_err(|message| failed(FailureKind::Failed, message))).await?;
    if known.is_none() {
        let hint = format!("om usr/{} create --kw grant=guest:NAMESPACE", wanted.user);
        return Err(failed(FailureKind::NoMatch, format!("user {} does not exist: {hint}", wanted.user)));
    }
    let signed = at_desk(request, move |desk| desk.sign(&wanted, SystemTime::now())).await?;
    reply::json(StatusCode::CREATED, &signed)
}

pub(super) async fn renew(request: &ApiRequest) -> Reply {
    let listener = request.listener.clone();
    beside(move || listener.renew().map_err(|message| failed(FailureKind::Failed, message))).await?;
    Ok(done(StatusCode::NO_CONTENT))
}

pub(super) async fn revoke(request: &ApiRequest) -> Reply {
    let which = request.values.first().cloned().unwrap_or_default();
    let name = which.clone();
    match at_desk(request, move |desk| desk.revoke(&which)).await? {
        0 => {
            let message =
                format!("no certificate of user {name} or of that serial number is valid: see om daemon cert ls");
            Err(failed(FailureKind::NoMatch, message))
        }
        _ => Ok(done(StatusCode::NO_CONTENT)),
    }
}

async fn at_desk<T: Send + 'static>(
    request: &ApiRequest,
    work: impl FnOnce(&mut CertificateDesk) -> Result<T, CertificateError> + Send + 'static,
) -> Result<T, RequestFailure> {
    let access = request.access.clone();
    beside(move || work(&mut access.desk()).map_err(|error| explained(&error))).await
}

fn explained(error: &CertificateError) -> RequestFailure {
    let kind = if matches!(error, CertificateError::PublicKey) { FailureKind::Invalid } else { FailureKind::Failed };
    let source = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
    failed(kind, format!("{error}{source}"))
}

fn failed(kind: FailureKind, message: String) -> RequestFailure {
    RequestFailure { kind, message }
}
