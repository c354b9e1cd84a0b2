#!/usr/bin/env bash
# with_fuse_uring.sh COMMAND...: runs a test with FUSE over io_uring. Where the kernel has it switched
# off, root switches it on meanwhile; others skip (exit code 77).
set -euo pipefail
parameter=/sys/module/fuse/parameters/enable_uring
if [ ! -e $parameter ]; then
    echo "skipped: this kernel has no FUSE over io_uring (Linux 6.14)"
    exit 77
fi
if [ "$(cat $parameter)" = N ]; then
    if [ ! -w $parameter ] || ! echo Y >$parameter; then
        echo "skipped: FUSE over io_uring is off; switch it on with: echo Y | sudo tee $parameter"
        exit 77
    fi
    trap 'echo N >$parameter' EXIT
fi
LB_FUSE_URING=on "$@"
