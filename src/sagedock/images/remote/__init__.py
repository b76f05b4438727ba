"""Images built on AWS by CodeBuild, from the sources of this machine.

``wanted``    what a remote build is to be, as data
``documents`` the IAM documents in ``policies/``, filled in
``sources``   the project's files, and those that must not leave this machine; ``packing`` zips them
``aws``       the one seam to AWS, which puts its refusals in words; ``permissions`` what calls take
``changes``   what is to be done, as calls that are shown before they are sent
``bucket``, ``role``, ``log_group``, ``project``  what each of them is, and what it is to be
``plan``      all of these changes together; ``carrying_out`` sends them
``builds``    a build started, followed and stopped
``records``   what the build pushed
"""
