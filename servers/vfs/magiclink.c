/* SPDX-License-Identifier: BSD-2-Clause */
/* Magic links of /proc, which VFS follows itself. The file system names the slot and the descriptor; everything is checked. No state. */
#include "magiclink.h"

#include <abi/limits.h>
#include <proto/vfs.h>

#include "file.h"
#include "vnode.h"

bool magiclink_allowed(const struct client *who, const struct client *target)
{
	return who == target || who->fsuid == 0 || (who->fsuid == target->uid && who->fsuid == target->fsuid);
}

int magiclink_check(struct client *who, int64_t magic)
{
	uint64_t slot = (uint64_t)magic >> 32;
	struct client *target = slot < NR_PROCS ? client_at((unsigned)slot) : NULL;
	if (!target)
		return -ENOENT;
	return magiclink_allowed(who, target) ? 0 : -EACCES;
}

int magiclink_follow(struct client *who, int64_t magic, struct vnode **v, struct file **f)
{
	uint64_t slot = (uint64_t)magic >> 32;
	int32_t what = (int32_t)(uint32_t)magic;
	struct client *target = slot < NR_PROCS ? client_at((unsigned)slot) : NULL;
	struct vnode *found = NULL;
	if (!target || !target->fs)
		return -ENOENT;
	if (!magiclink_allowed(who, target))
		return -EACCES;
	if (what == VFS_LINK_CWD)
		found = target->fs->cwd;
	else if (what == VFS_LINK_ROOT)
		found = target->fs->root;
	else if (what == VFS_LINK_EXE)
		found = target->exe;
	else {
		struct file *open = fdtable_lookup(target->fds, what);
		if (open && !open->vnode) {
			*f = file_get(open);
			return 0;
		}
		found = open ? open->vnode : NULL;
	}
	if (!found)
		return -ENOENT;
	*v = vnode_get(found);
	return 0;
}
