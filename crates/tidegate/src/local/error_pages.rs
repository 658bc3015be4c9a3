//! `error_page`: what takes the place of an error. Not here: when it applies.
//!
//! The exchange asks once for a request, or again after each internal redirect with `recursive_error_pages on`. An internal
//! redirect to a URI turns any method but HEAD into GET; one to a named location keeps the method.
//!
//! See <https://nginx.org/en/docs/http/ngx_http_core_module.html#error_page>.

use config::model::{ErrorPage, ErrorPageTarget};

use super::request::{Eval, text};
use crate::uri::split_args;

/// The status of the answer that takes an error's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusRule {
    /// The error's.
    Keep,
    /// That of the answer itself (`=`).
    Take,
    /// This one (`=CODE`).
    Fixed(u16),
}

/// What takes an error's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorAction {
    /// An internal redirect.
    Internal {
        /// The path, not normalised.
        uri: Vec<u8>,
        /// The arguments.
        args: Vec<u8>,
        /// The status of the answer.
        status: StatusRule,
    },
    /// A named location, with the `@`.
    Named {
        /// Its name.
        name: Vec<u8>,
        /// The status of the answer.
        status: StatusRule,
    },
    /// A redirect for the client, with the page of that status.
    Redirect {
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// `Location`.
        location: Vec<u8>,
    },
}

/// The action for an error; `None` if no `error_page` names its status. The first that does wins.
pub fn choose(pages: &[ErrorPage], status: u16, eval: &mut Eval<'_>) -> Option<ErrorAction> {
    let page = pages.iter().find(|page| page.status == status)?;
    Some(match &page.target {
        ErrorPageTarget::Named(name) => ErrorAction::Named { name: name.as_bytes().to_vec(), status: rule(page) },
        ErrorPageTarget::Uri(template) | ErrorPageTarget::Url(template) => {
            by_value(page, text(template, eval).into_owned())
        }
    })
}

/// A target with variables shows what it is only when it is evaluated.
fn by_value(page: &ErrorPage, value: Vec<u8>) -> ErrorAction {
    match value.first() {
        Some(b'/') => {
            let (uri, args) = split_args(&value);
            ErrorAction::Internal { uri: uri.to_vec(), args: args.to_vec(), status: rule(page) }
        }
        Some(b'@') => ErrorAction::Named { name: value, status: rule(page) },
        _ => ErrorAction::Redirect { status: redirect_status(page), location: value },
    }
}

fn rule(page: &ErrorPage) -> StatusRule {
    match page.overwrite {
        Some(0) => StatusRule::Take,
        Some(status) => StatusRule::Fixed(status),
        // nginx's own statuses are never sent.
        None => match page.status {
            494..=497 => StatusRule::Fixed(400),
            _ => StatusRule::Keep,
        },
    }
}

fn redirect_status(page: &ErrorPage) -> u16 {
    let is_redirect = |status: &u16| matches!(status, 301 | 302 | 303 | 307 | 308);
    page.overwrite.filter(is_redirect).unwrap_or(302)
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::model::{Part, Template, Variable};

    fn page(status: u16, overwrite: Option<u16>, target: ErrorPageTarget) -> ErrorPage {
        ErrorPage { status, overwrite, target }
    }

    fn uri(text: &str) -> ErrorPageTarget {
        ErrorPageTarget::Uri(Template::literal(text))
    }

    fn url(text: &str) -> ErrorPageTarget {
        ErrorPageTarget::Url(Template::literal(text))
    }

    fn pick(page: ErrorPage) -> Option<ErrorAction> {
        choose(&[page], 502, &mut |_| unreachable!("literal"))
    }

    #[test]
    fn a_uri_keeps_takes_or_sets_the_status() {
        for (overwrite, status) in
            [(None, StatusRule::Keep), (Some(0), StatusRule::Take), (Some(200), StatusRule::Fixed(200))]
        {
            let expected = ErrorAction::Internal { uri: b"/50x.html".to_vec(), args: b"a=1".to_vec(), status };
            assert_eq!(pick(page(502, overwrite, uri("/50x.html?a=1"))), Some(expected));
        }
    }

    #[test]
    fn a_url_redirects_with_302_unless_overwritten_by_a_redirect() {
        for (overwrite, status) in [(None, 302), (Some(0), 302), (Some(200), 302), (Some(301), 301), (Some(308), 308)] {
            let location = b"http://elsewhere/".to_vec();
            let expected = ErrorAction::Redirect { status, location };
            assert_eq!(pick(page(502, overwrite, url("http://elsewhere/"))), Some(expected));
        }
    }

    #[test]
    fn a_target_with_variables_is_judged_by_its_value() {
        let template = Template { source: "$uri".into(), parts: vec![Part::Variable(Variable::Uri)] };
        let pages = [page(404, None, ErrorPageTarget::Url(template))];
        let choose_with = |value: &str| choose(&pages, 404, &mut |_| value.as_bytes().to_vec());
        assert!(matches!(choose_with("/x"), Some(ErrorAction::Internal { .. })));
        assert!(matches!(choose_with("@x"), Some(ErrorAction::Named { .. })));
        assert!(matches!(choose_with("x"), Some(ErrorAction::Redirect { .. })));
    }

    #[test]
    fn the_first_page_for_the_status_wins() {
        let pages = [
            page(500, None, uri("/a")),
            page(502, None, ErrorPageTarget::Named("@b".into())),
            page(502, None, uri("/c")),
        ];
        let mut never = |_: &Template| unreachable!("literal");
        let expected = ErrorAction::Named { name: b"@b".to_vec(), status: StatusRule::Keep };
        assert_eq!(choose(&pages, 502, &mut never), Some(expected));
        assert_eq!(choose(&pages, 503, &mut never), None);
    }

    #[test]
    fn nginxs_own_statuses_become_400() {
        let pages = [page(497, None, uri("/plain"))];
        let Some(ErrorAction::Internal { status, .. }) = choose(&pages, 497, &mut |_| vec![]) else {
            panic!("no internal redirect");
        };
        assert_eq!(status, StatusRule::Fixed(400));
    }
}
