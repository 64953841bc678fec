/* SPDX-License-Identifier: BSD-2-Clause */
/* Extended attributes: no file system here keeps any. The file is looked up, so that wrong names and descriptors are told apart. */
#include "calls.h"
#include "client.h"
#include "file.h"
#include "path.h"

static int64_t on_name(struct call *c, unsigned flags, int64_t result)
{
	struct vnode *v;
	int r = path_lookup_user(c, AT_FDCWD, c->a[0], flags, &v);
	if (r)
		return r;
	vnode_put(v);
	return result;
}

static int64_t on_descriptor(struct call *c, int64_t result)
{
	struct file *f = call_file(c, c->a[0]);
	return f && !(f->flags & O_PATH) ? result : -EBADF;
}

int64_t rq_setxattr(struct call *c) { return on_name(c, 0, -EOPNOTSUPP); }
int64_t rq_lsetxattr(struct call *c) { return on_name(c, PATH_NOFOLLOW, -EOPNOTSUPP); }
int64_t rq_fsetxattr(struct call *c) { return on_descriptor(c, -EOPNOTSUPP); }
int64_t rq_getxattr(struct call *c) { return on_name(c, 0, -EOPNOTSUPP); }
int64_t rq_lgetxattr(struct call *c) { return on_name(c, PATH_NOFOLLOW, -EOPNOTSUPP); }
int64_t rq_fgetxattr(struct call *c) { return on_descriptor(c, -EOPNOTSUPP); }
int64_t rq_listxattr(struct call *c) { return on_name(c, 0, 0); }
int64_t rq_llistxattr(struct call *c) { return on_name(c, PATH_NOFOLLOW, 0); }
int64_t rq_flistxattr(struct call *c) { return on_descriptor(c, 0); }
int64_t rq_removexattr(struct call *c) { return on_name(c, 0, -EOPNOTSUPP); }
int64_t rq_lremovexattr(struct call *c) { return on_name(c, PATH_NOFOLLOW, -EOPNOTSUPP); }
int64_t rq_fremovexattr(struct call *c) { return on_descriptor(c, -EOPNOTSUPP); }
