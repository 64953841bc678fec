/* SPDX-License-Identifier: BSD-2-Clause */
/* Permission checks. The super-user may everything but execute what has no x bit. No state. */
#include "perm.h"

#include "mount.h"

bool perm_is_owner(const struct client *c, const struct vnode *v)
{
	return c->fsuid == 0 || c->fsuid == v->attr.uid;
}

int perm_check_ids(const struct client *c, const struct vnode *v, unsigned want, uint32_t uid, uint32_t gid)
{
	uint32_t mode = v->attr.mode;
	if (want & MAY_WRITE && mount_readonly(v->mount) && (S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode)))
		return -EROFS;
	if (uid == 0) {
		bool can_exec = S_ISDIR(mode) || (mode & 0111);
		return want & MAY_EXEC && !can_exec ? -EACCES : 0;
	}
	if (uid == v->attr.uid)
		mode >>= 6;
	else if (gid == v->attr.gid || client_in_group(c, v->attr.gid))
		mode >>= 3;
	return want & ~mode & 7 ? -EACCES : 0;
}

int perm_check(const struct client *c, const struct vnode *v, unsigned want)
{
	return perm_check_ids(c, v, want, c->fsuid, c->fsgid);
}

int perm_dir_modify(const struct client *c, const struct vnode *dir)
{
	if (!vnode_is_dir(dir))
		return -ENOTDIR;
	if (dir->removed || dir->attr.nlink == 0)
		return -ENOENT;
	return perm_check(c, dir, MAY_WRITE | MAY_EXEC);
}

int perm_sticky(const struct client *c, const struct vnode *dir, const struct vnode *victim)
{
	if (!(dir->attr.mode & S_ISVTX) || c->fsuid == 0)
		return 0;
	return c->fsuid == dir->attr.uid || c->fsuid == victim->attr.uid ? 0 : -EPERM;
}
