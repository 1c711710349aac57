#!/usr/bin/env bash
# A small internet of network namespaces: two homes, each behind a router of its own, and a host that all can reach.
#
#   HomeA  10.1.0.2 ── RouterA ──┐                    ┌── RouterB ── HomeB  10.2.0.2
#                   198.51.100.11 ──────  Wide  ────── 198.51.100.12
#                                          │
#                                    198.51.100.1  Public
#
# A router lets nobody in who was not called, as those at home do, and there is no route from one home to the other.
# Easy: each port stays the same whomever it goes to, so that both sides can make a hole for each other. Hard: another
# random one for each, and nobody can tell which.
#
# usage: net.sh up PREFIX easy|hard      makes namespaces PREFIX-HomeA and so on; root, iproute2, nftables
#        net.sh down PREFIX
#
# Source: ip-netns(8), nft(8); RFC 4787 for what routers do.
set -euo pipefail

prefix=$2
hosts=(Public HomeA HomeB RouterA RouterB Wide)

down() {
    for host in "${hosts[@]}"; do ip netns delete "$prefix-$host" 2>/dev/null || true; done
}

# cable HOST INTERFACE ADDRESS HOST INTERFACE
cable() {
    ip link add "$2" netns "$prefix-$1" type veth peer name "$5" netns "$prefix-$4"
    ip -n "$prefix-$1" address add "$3/24" dev "$2"
    ip -n "$prefix-$1" link set "$2" up
    ip -n "$prefix-$4" link set "$5" up
}

# home HOST ROUTER NETWORK ADDRESS
home() {
    cable "$2" wan "$4" Wide "$2"
    ip -n "$prefix-Wide" link set "$2" master bridge
    cable "$2" lan "$3.1" "$1" lan
    ip -n "$prefix-$1" address add "$3.2/24" dev lan
    ip -n "$prefix-$1" route add default via "$3.1"
    ip netns exec "$prefix-$2" sysctl -qw net.ipv4.ip_forward=1
    ip netns exec "$prefix-$2" nft -f - <<RULES
table ip router {
    chain out {
        type nat hook postrouting priority srcnat
        oifname wan masquerade $how
    }
    chain through {
        type filter hook forward priority filter; policy drop
        iifname lan accept
        ct state established,related accept
    }
    chain knock {
        type filter hook input priority filter
        iifname wan ct state new drop
    }
}
RULES
}

case $1 in
    down) down ;;
    up)
        how=
        [ "$3" = easy ] || how=fully-random
        trap 'down' ERR
        for host in "${hosts[@]}"; do
            ip netns add "$prefix-$host"
            ip -n "$prefix-$host" link set lo up
        done
        ip -n "$prefix-Wide" link add bridge type bridge
        ip -n "$prefix-Wide" link set bridge up
        cable Public wan 198.51.100.1 Wide Public
        ip -n "$prefix-Wide" link set Public master bridge
        home HomeA RouterA 10.1.0 198.51.100.11
        home HomeB RouterB 10.2.0 198.51.100.12
        ;;
esac
