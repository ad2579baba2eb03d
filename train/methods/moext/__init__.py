"""MoExt (Li et al., arXiv 2407.07345)."""
