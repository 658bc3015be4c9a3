//! The systemd unit or the container of a process, by its control groups (cgroups(7)). Not here: reading them.

/// What a process belongs to: `nginx.service`, `docker container 0123456789ab`; nothing if it belongs to nothing with a name.
pub(super) fn of(cgroups: &str) -> Option<String> {
    let paths = cgroups.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    let parts: Vec<&str> = paths.flat_map(|path| path.split('/')).filter(|part| !part.is_empty()).collect();
    container(&parts).or_else(|| unit(&parts))
}

/// Runtimes name a group after the container's long number.
fn container(parts: &[&str]) -> Option<String> {
    const RUNTIMES: [(&str, &str); 4] =
        [("docker-", "docker"), ("libpod-", "podman"), ("cri-containerd-", "containerd"), ("crio-", "cri-o")];
    parts.iter().rev().find_map(|part| {
        let name = part.strip_suffix(".scope").unwrap_or(part);
        let (runtime, number) = RUNTIMES
            .iter()
            .find_map(|(prefix, runtime)| name.strip_prefix(prefix).map(|number| (*runtime, number)))
            .or_else(|| parts.contains(&"docker").then_some(("docker", name)))
            .or_else(|| parts.iter().any(|part| part.starts_with("kubepods")).then_some(("kubernetes", name)))?;
        let is_number = number.len() >= 12 && number.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_number.then(|| format!("{runtime} container {}", &number[..12]))
    })
}

/// The innermost unit; a session or a user's manager is nobody's home.
fn unit(parts: &[&str]) -> Option<String> {
    let unit = parts.iter().rev().find(|part| part.ends_with(".service") || part.ends_with(".scope"))?;
    let is_session = unit.starts_with("session-") || unit.starts_with("user@") || *unit == "init.scope";
    (!is_session).then(|| (*unit).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_containers_are_told_by_their_groups() {
        let long = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        let of = |text: &str| of(text).unwrap_or_default();
        assert_eq!(of("0::/system.slice/nginx.service\n"), "nginx.service");
        assert_eq!(of(&format!("0::/system.slice/docker-{long}.scope\n")), "docker container 0123456789ab");
        assert_eq!(of(&format!("5:cpu:/docker/{long}\n0::/\n")), "docker container 0123456789ab");
        let pod = format!("0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-{long}.scope\n");
        assert_eq!(of(&pod), "containerd container 0123456789ab");
        assert_eq!(of("0::/user.slice/user-1000.slice/session-2.scope\n"), "");
        assert_eq!(of("0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-node.scope\n"), "app-node.scope");
        assert_eq!(of("0::/\n"), "");
    }
}
